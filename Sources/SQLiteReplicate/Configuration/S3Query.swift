/// The query of an `s3://` URL: `?endpoint=localhost:9000&forcePathStyle=true`.
///
/// Each parameter has a hyphenated spelling too. Unlike Litestream, which ignores some of the second spellings and
/// whatever it does not know, all are followed, and an unknown one is an error.
enum S3Query {
    private static let names = [
        "endpoint", "region", "concurrency", "forcePathStyle", "skipVerify", "signPayload", "requireContentMD5",
        "signAcceptEncoding", "partSize", "storageClass", "sseCustomerAlgorithm", "sseCustomerKey",
        "sseCustomerKeyMD5", "sseKmsKeyId",
    ]

    /// Reads all parameters; of two equal ones the first counts, as in Litestream.
    static func read(_ query: Substring, into settings: inout S3Settings) throws(ReplicaURL.Problem) {
        var seen: Set<String> = []
        for pair in query.split(separator: "&") {
            let parts = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard let written = PercentText.decode(parts[0], plusIsSpace: true),
                let value = PercentText.decode(parts.count == 2 ? parts[1] : "", plusIsSpace: true)
            else { throw .init(.invalidValue, "has a broken % escape in its query") }
            let plain = written.replacing("-", with: "").lowercased()
            guard let name = names.first(where: { $0.lowercased() == plain }) else {
                let nearest = NearestName.nearest(to: written, among: names) ?? ""
                throw .init(
                    .unknownKey,
                    "has the unknown query parameter '\(written)'; the nearest known one is '\(nearest)'"
                )
            }
            guard seen.insert(name).inserted, !value.isEmpty else { continue }
            try set(name, value, in: &settings)
        }
    }

    private static func set(
        _ name: String,
        _ value: String,
        in settings: inout S3Settings
    ) throws(ReplicaURL.Problem) {
        switch name {
        case "endpoint":
            do {
                let isLocal = Endpoint.scheme(of: value) == nil && Endpoint.isLocal(value.prefix { $0 != "/" })
                settings.endpoint = try Endpoint.normalize(value, defaultScheme: isLocal ? "http" : "https")
            } catch {
                throw .init(.invalidValue, "has a query parameter 'endpoint' that \(error.words)")
            }
        case "region": settings.region = value
        case "concurrency": settings.concurrency = Int(try positive(name, value))
        case "forcePathStyle": settings.forcePathStyle = try bool(name, value)
        case "skipVerify": settings.skipVerify = try bool(name, value)
        case "signPayload": settings.signPayload = try bool(name, value)
        case "requireContentMD5": settings.requireContentMD5 = try bool(name, value)
        case "signAcceptEncoding": settings.signAcceptEncoding = try bool(name, value)
        case "partSize": settings.partSize = Int64(try positive(name, value))
        case "storageClass": settings.storageClass = value
        case "sseCustomerAlgorithm": settings.sseCustomerAlgorithm = value
        case "sseCustomerKey": settings.sseCustomerKey = Secret(value)
        case "sseCustomerKeyMD5": settings.sseCustomerKeyMD5 = value
        default: settings.sseKMSKeyID = value
        }
    }

    private static func positive(_ name: String, _ value: String) throws(ReplicaURL.Problem) -> Int {
        guard let number = Int(value), number > 0 else {
            throw .init(.invalidValue, "has a query parameter '\(name)' of '\(value)': it must be a positive number")
        }
        return number
    }

    private static func bool(_ name: String, _ value: String) throws(ReplicaURL.Problem) -> Bool {
        switch value.lowercased() {
        case "true", "t", "1", "yes", "y", "on": return true
        case "false", "f", "0", "no", "n", "off": return false
        default:
            throw .init(.invalidValue, "has a query parameter '\(name)' of '\(value)': it must be true or false")
        }
    }
}
