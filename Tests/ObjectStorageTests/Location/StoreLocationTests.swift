import SystemPackage
import Testing

@testable import ObjectStorage

@Suite struct StoreLocationTests {
    private func s3(_ text: String) throws -> (configuration: S3Configuration, prefix: String) {
        guard case .s3(let configuration, let prefix) = try StoreLocation(parsing: text) else {
            throw ObjectStoreError(.invalidRequest, "'\(text)' is no bucket")
        }
        return (configuration, prefix)
    }

    @Test("Paths and file URLs are folders")
    func folders() throws {
        #expect(try StoreLocation(parsing: "/var/backup") == .folder("/var/backup"))
        #expect(try StoreLocation(parsing: "relative/path") == .folder("relative/path"))
        #expect(try StoreLocation(parsing: "file:///var/back%20up") == .folder("/var/back up"))
        #expect(try StoreLocation(parsing: "/odd:name").description == "/odd:name")
    }

    @Test(
        "Paths of S3 URLs are cleaned as Litestream does",
        arguments: [
            ("s3://b/db", "db"), ("s3://b/db/", "db"), ("s3://b//a//b", "a/b"), ("s3://b/a/../c/./d", "c/d"),
            ("s3://b/../x", "x"), ("s3://b/", ""), ("s3://b", "."), ("s3://b/a%20b%2Bc+d", "a b+c+d"),
            ("s3://b?region=eu-west-1", "."), ("s3://b/x?region=eu-west-1", "x"),
        ]
    )
    func paths(text: String, prefix: String) throws {
        let parsed = try s3(text)
        #expect(parsed.prefix == prefix && parsed.configuration.bucket == "b")
    }

    @Test("Hosts name bucket, region and server")
    func hosts() throws {
        let aws = try s3("s3://my.logs.s3.eu-west-1.amazonaws.com/p").configuration
        #expect(aws.bucket == "my.logs" && aws.region == "eu-west-1" && aws.endpoint == nil)
        let spaces = try s3("s3://b.nyc3.digitaloceanspaces.com/p").configuration
        #expect(
            spaces.bucket == "b" && spaces.region == "nyc3" && spaces.endpoint?.host == "nyc3.digitaloceanspaces.com"
        )
        let backblaze = try s3("s3://b.s3.us-west-002.backblazeb2.com/p").configuration
        #expect(backblaze.region == "us-west-002" && backblaze.endpoint?.host == "s3.us-west-002.backblazeb2.com")
        let scaleway = try s3("s3://b.s3.fr-par.scw.cloud/p").configuration
        #expect(scaleway.region == "fr-par" && scaleway.endpoint?.description == "https://s3.fr-par.scw.cloud")
        let filebase = try s3("s3://b.s3.filebase.com/p").configuration
        #expect(filebase.bucket == "b" && filebase.endpoint?.host == "s3.filebase.com")
        let minio = try s3("s3://b.localhost:9000/p").configuration
        #expect(minio.bucket == "b" && minio.endpoint?.description == "http://localhost:9000")
        #expect(minio.forcePathStyle == true)
        let address = try s3("s3://b.192.168.1.5:9000/p").configuration
        #expect(address.endpoint?.host == "192.168.1.5")
        #expect(try s3("s3://dotted.name/p").configuration.bucket == "dotted.name")
        let point = try s3("s3://arn:aws:s3:eu-west-1:1234:accesspoint/mine/a/b")
        #expect(point.configuration.bucket == "arn:aws:s3:eu-west-1:1234:accesspoint/mine" && point.prefix == "a/b")
    }

    @Test("Parameters are taken in both spellings")
    func parameters() throws {
        for query in [
            "endpoint=127.0.0.1:9000&region=r&forcePathStyle=false&skipVerify=true&signPayload=0&requireContentMD5=no"
                + "&signAcceptEncoding=f&partSize=10485760&storageClass=STANDARD_IA&concurrency=7&sseKmsKeyId=k",
            "endpoint=127.0.0.1:9000&region=r&force-path-style=false&skip-verify=1&sign-payload=false"
                + "&require-content-md5=FALSE&sign-accept-encoding=0&part-size=10485760&storage-class=STANDARD_IA"
                + "&concurrency=7&sse-kms-key-id=k",
        ] {
            let parsed = try s3("s3://b/p?" + query).configuration
            #expect(parsed.endpoint?.description == "http://127.0.0.1:9000" && parsed.region == "r")
            #expect(parsed.forcePathStyle == false && parsed.skipVerify && !parsed.signPayload)
            #expect(parsed.requireContentMD5 == false && !parsed.signAcceptEncoding)
            #expect(parsed.partSize == 10 << 20 && parsed.storageClass == "STANDARD_IA" && parsed.concurrency == 7)
            #expect(parsed.encryption == .managedKey(id: "k"))
        }
    }

    @Test("A customer key is taken with its pluses, escaped or not")
    func customerKeys() throws {
        let key = "++VzaGh1c2hodXNoaHVzaGh1c2hodXNoaHVzaGh1c2g="
        let plain = try s3("s3://b/p?sseCustomerAlgorithm=AES256&sseCustomerKey=\(key)").configuration
        let escaped = try s3("s3://b/p?sse-customer-key=\(key.percentEncoded())").configuration
        #expect(plain.encryption == .customerKey(try S3CustomerKey(base64: key)))
        #expect(plain.encryption == escaped.encryption)
    }

    @Test(
        "What cannot be used is refused by name, and no query is repeated",
        arguments: [
            ("", "empty"), ("s3://", "no bucket"), ("s3:///p", "no bucket"), ("gs://b/p", "'gs'"),
            ("file://host/p", "three slashes"), ("s3://b/p?regoin=x", "'regoin'"), ("s3://b/%zz", "escapes"),
            ("s3://b/p?concurrency=0", "'concurrency'"), ("s3://b/p?partSize=5MB", "'partSize'"),
            ("s3://b/p?forcePathStyle=maybe", "'forcePathStyle'"), ("s3://k:s@b/p", "access keys"),
            ("s3://localhost:9000/p", "BUCKET.HOST:PORT"), ("s3://b/p#x", "%23"),
            ("s3://b/p?sseKmsKeyId=a&sseCustomerKey=b", "exclude"), ("s3://b/p?sseCustomerKey=secret", "32 bytes"),
            ("s3://b/p?sseCustomerAlgorithm=DES", "AES256"), ("s3://b/p?endpoint=ftp://x", "endpoint"),
        ]
    )
    func refused(text: String, word: String) throws {
        let error = #expect(throws: ObjectStoreError.self) { try StoreLocation(parsing: text) }
        #expect(error?.code == .invalidRequest && error?.message.contains(word) == true, "\(error?.message ?? "")")
        #expect(error?.message.contains("secret") == false)
    }
}
