import SystemPackage

/// A replica as a URL: `s3://BUCKET/PATH?QUERY` or `file:///PATH`.
struct ReplicaURL {
    /// Why a text is no replica URL.
    struct Problem: Error {
        var code: ConfigurationError.Code
        /// Continues a sentence that begins with the key. User, password and query never appear in it.
        var words: String

        init(_ code: ConfigurationError.Code, _ words: String) { (self.code, self.words) = (code, words) }
    }

    private(set) var type: ReplicaConfiguration.Kind
    private(set) var path = ""
    private(set) var s3 = S3Settings()
    /// What the URL's owner should know.
    private(set) var remarks: [String] = []

    /// Takes a URL apart.
    init(_ text: String) throws(Problem) {
        guard let scheme = Endpoint.scheme(of: text) else {
            throw Problem(.invalidValue, "has no scheme: write s3://BUCKET/PATH or file:///PATH, or use 'path'")
        }
        type = try Self.type(named: scheme, isScheme: true)
        let rest = text.dropFirst(scheme.count + 3)
        let beforeQuery = rest.prefix { $0 != "?" && $0 != "#" }
        let host = beforeQuery.prefix { $0 != "/" }
        let rawPath = beforeQuery[host.endIndex...]
        guard let path = PercentText.decode(rawPath) else {
            throw Problem(.invalidValue, "has a broken % escape in its path: write %25 for a percent sign")
        }
        guard !host.contains("@") else {
            throw Problem(.invalidValue, "must not hold a user or password: use access-key-id and secret-access-key")
        }
        if type == .file {
            guard host.isEmpty, path.hasPrefix("/") else {
                throw Problem(.invalidValue, "needs three slashes: file:///PATH")
            }
            self.path = FilePath(path).lexicallyNormalized().string
            return
        }
        guard !host.isEmpty else { throw Problem(.invalidValue, "names no bucket: write s3://BUCKET/PATH") }
        if host.hasPrefix("arn:") {
            self.path = try Self.accessPoint(String(host), path, into: &s3)
        } else {
            try S3Host.read(String(host), into: &s3)
            self.path = Self.keyPath(path)
        }
        if self.path == "." {
            remarks.append(
                "s3://\(host) without a path keeps its files under './' as in Litestream, which MinIO refuses: "
                    + "write s3://\(host)/PATH"
            )
        }
        if beforeQuery.endIndex < rest.endIndex, rest[beforeQuery.endIndex] == "?" {
            let query = rest[beforeQuery.endIndex...].dropFirst().prefix { $0 != "#" }
            try S3Query.read(query, into: &s3)
        }
    }

    /// The type of a name; names of types that exist elsewhere get words of their own.
    static func type(named name: String, isScheme: Bool = false) throws(Problem) -> ReplicaConfiguration.Kind {
        switch name {
        case "file": return .file
        case "s3": return .s3
        case "gs", "abs", "sftp", "webdav", "webdavs", "nats", "oss":
            throw Problem(.notServed, "has the type \(name), which is not served yet: file and s3 are")
        case "gcs":
            throw Problem(.notServed, "has the type gcs, the old name of gs, which is not served yet: file and s3 are")
        default:
            let nearest = NearestName.nearest(to: name, among: ["file", "s3"]) ?? "file"
            let what = isScheme ? "scheme" : "type"
            throw Problem(.invalidValue, "has the unknown \(what) '\(name)': file and s3 are served (near: \(nearest))")
        }
    }

    /// Reads `arn:aws:s3:REGION:ACCOUNT:accesspoint/NAME/PATH`, where the name is the first part of the URL's path.
    private static func accessPoint(
        _ host: String,
        _ path: String,
        into settings: inout S3Settings
    ) throws(Problem) -> String {
        let parts = host.split(separator: ":", omittingEmptySubsequences: false)
        let name = path.dropFirst().prefix { $0 != "/" }
        guard parts.count == 6, parts[5] == "accesspoint", !parts[3].isEmpty, !name.isEmpty else {
            throw Problem(
                .invalidValue,
                "is no access point: write s3://arn:aws:s3:REGION:ACCOUNT:accesspoint/NAME/PATH"
            )
        }
        settings.bucket = "\(host)/\(name)"
        settings.region = String(parts[3])
        return keyPath(String(path[name.endIndex...]))
    }

    /// The path that keys start with: cleaned as a Unix path, without the leading slash; `.` where the URL has no path
    /// at all, and empty where it is a slash, which are different places in Litestream's layout.
    private static func keyPath(_ path: String) -> String {
        guard !path.isEmpty else { return "." }
        let cleaned = FilePath(path).lexicallyNormalized().string
        return String(cleaned.drop { $0 == "/" })
    }
}
