import Testing

@testable import ObjectStorage

/// The examples of <https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html>.
@Suite struct SignatureV4Tests {
    static let credentials = S3Credentials(
        accessKeyID: "AKIAIOSFODNN7EXAMPLE",
        secretAccessKey: "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
    )
    static let time = Timestamp(rawValue: 1_369_353_600_000)
    let signature = SignatureV4(credentials: Self.credentials, region: "us-east-1")
    let headers = [
        (name: "host", value: "examplebucket.s3.amazonaws.com"), (name: "x-amz-date", value: "20130524T000000Z"),
    ]

    private func sign(
        _ method: String,
        _ path: String,
        query: [(name: String, value: String)] = [],
        _ more: [(name: String, value: String)],
        _ hash: String
    ) -> String {
        signature.authorization(
            method: method,
            path: path,
            query: query,
            headers: headers + [(name: "x-amz-content-sha256", value: hash)] + more,
            payloadHash: hash,
            time: Self.time
        )
    }

    @Test("A ranged read is signed as in the documentation")
    func get() {
        #expect(Self.time.compactText == "20130524T000000Z")
        let value = sign("GET", "/test.txt", [("range", "bytes=0-9")], SignatureV4.emptyPayload)
        #expect(
            value == "AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request, "
                + "SignedHeaders=host;range;x-amz-content-sha256;x-amz-date, "
                + "Signature=f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41"
        )
    }

    @Test("A write with a key that has to be encoded is signed as in the documentation")
    func put() {
        let value = sign(
            "PUT",
            "/" + "test$file.text".percentEncoded(keepingSlashes: true),
            [("date", "Fri, 24 May 2013 00:00:00 GMT"), ("x-amz-storage-class", "REDUCED_REDUNDANCY")],
            "44ce7dd67c959e0d3524ffac1771dfbba87d2b6b4b4e99e42034a8b803f8b072"
        )
        #expect(value.hasSuffix("Signature=98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd"))
    }

    @Test("Queries are signed as in the documentation, in any order")
    func queries() {
        let lifecycle = sign("GET", "/", query: [("lifecycle", "")], [], SignatureV4.emptyPayload)
        #expect(lifecycle.hasSuffix("Signature=fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543"))
        let list = sign("GET", "/", query: [("prefix", "J"), ("max-keys", "2")], [], SignatureV4.emptyPayload)
        #expect(list.hasSuffix("Signature=34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7"))
    }

    @Test("Encoding leaves the unreserved characters, and decoding takes it back")
    func percentEncoding() {
        let key = "a b/é+&=~-._%/\u{1F600}"
        #expect(key.percentEncoded() == "a%20b%2F%C3%A9%2B%26%3D~-._%25%2F%F0%9F%98%80")
        #expect(key.percentEncoded(keepingSlashes: true).hasPrefix("a%20b/%C3"))
        #expect(key.percentEncoded().percentDecoded() == key)
        #expect("a+b%2b".percentDecoded(plusIsSpace: true) == "a b+")
        for bad in ["%", "%4", "%zz", "%ff"] { #expect(bad.percentDecoded() == nil) }
    }

    @Test("No secret is printed with credentials, keys or a configuration")
    func secrets() throws {
        var configuration = S3Configuration(bucket: "b")
        let credentials = S3Credentials(accessKeyID: "ID", secretAccessKey: "hush", sessionToken: "hush")
        configuration.credentials = .keys(credentials)
        let key = "aHVzaGh1c2hodXNoaHVzaGh1c2hodXNoaHVzaGh1c2g="
        configuration.encryption = .customerKey(try S3CustomerKey(base64: key))
        var dumped = ""
        dump(configuration, to: &dumped)
        for text in ["\(configuration)", String(reflecting: configuration), dumped, "\(credentials)"] {
            #expect(!text.contains("hush") && !text.contains(key))
        }
    }
}
