import Crypto

/// Signature Version 4 of a request, in its `Authorization` header.
///
/// Source: <https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html>
struct SignatureV4 {
    /// What is signed instead of the body's hash where the body goes unsigned.
    static let unsignedPayload = "UNSIGNED-PAYLOAD"
    /// The SHA-256 of nothing.
    static let emptyPayload = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

    let credentials: S3Credentials
    let region: String
    var service = "s3"

    /// The value of the `Authorization` header.
    ///
    /// - Parameters:
    ///   - method: `GET` and so on.
    ///   - path: The path as it is sent, encoded.
    ///   - query: The query's pairs, encoded, in any order.
    ///   - headers: The headers to sign, with lower-case names, each once; `host` and `x-amz-date` among them.
    ///   - payloadHash: The body's SHA-256, or ``unsignedPayload``.
    ///   - time: The same as in `x-amz-date`.
    func authorization(
        method: String,
        path: String,
        query: [(name: String, value: String)],
        headers: [(name: String, value: String)],
        payloadHash: String,
        time: Timestamp
    ) -> String {
        let headers = headers.sorted { $0.name < $1.name }
        let names = headers.map(\.name).joined(separator: ";")
        let pairs = query.map { "\($0.name)=\($0.value)" }.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
        var lines = [method, path.isEmpty ? "/" : path, pairs.joined(separator: "&")]
        lines += headers.map { "\($0.name):\(Self.trimmed($0.value))" }
        lines += ["", names, payloadHash]
        let request = SHA256.hash(data: Array(lines.joined(separator: "\n").utf8)).hexadecimal

        let scope = "\(time.compactDate)/\(region)/\(service)/aws4_request"
        let text = ["AWS4-HMAC-SHA256", time.compactText, scope, request].joined(separator: "\n")
        let signature = Self.authenticate(text, with: signingKey(date: time.compactDate)).hexadecimal
        return "AWS4-HMAC-SHA256 Credential=\(credentials.accessKeyID)/\(scope), "
            + "SignedHeaders=\(names), Signature=\(signature)"
    }

    private func signingKey(date: String) -> SymmetricKey {
        var key = SymmetricKey(data: Array("AWS4\(credentials.secretAccessKey)".utf8))
        for part in [date, region, service, "aws4_request"] {
            key = SymmetricKey(data: Self.authenticate(part, with: key))
        }
        return key
    }

    private static func authenticate(_ text: String, with key: SymmetricKey) -> HMAC<SHA256>.MAC {
        HMAC<SHA256>.authenticationCode(for: Array(text.utf8), using: key)
    }

    /// The value without spaces at its ends, and with one where there are several.
    private static func trimmed(_ value: String) -> String { value.split(separator: " ").joined(separator: " ") }
}

extension Timestamp {
    /// `20060102T150405Z`.
    var compactText: String {
        let fields = Fields(self)
        let parts = [fields.hour, fields.minute, fields.second].map { Self.padded($0, 2) }
        return "\(compactDate)T\(parts.joined())Z"
    }

    /// `20060102`.
    var compactDate: String {
        let fields = Fields(self)
        return Self.padded(fields.year, 4) + Self.padded(fields.month, 2) + Self.padded(fields.day, 2)
    }
}
