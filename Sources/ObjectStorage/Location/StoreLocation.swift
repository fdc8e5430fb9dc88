public import SystemPackage

/// Where a replica lies: a folder, or a prefix in a bucket.
public enum StoreLocation: Hashable, Sendable, CustomStringConvertible {
    /// A folder of this host.
    case folder(FilePath)
    /// Keys in a bucket that begin with `prefix` and a slash.
    ///
    /// The prefix is joined to what follows with a slash, whatever it is: an empty one gives keys with a leading slash.
    case s3(S3Configuration, prefix: String)

    /// Reads a replica's URL: `s3://BUCKET/PATH?…`, `file:///PATH`, or a plain path.
    ///
    /// Of an `s3` URL the host can name the server too: `BUCKET.s3.REGION.amazonaws.com`, the same of Backblaze and
    /// Scaleway, `BUCKET.REGION.digitaloceanspaces.com`, `BUCKET.s3.filebase.com`, and `BUCKET.HOST:PORT` for plain
    /// HTTP; or it is the ARN of an access point. Its path is percent-decoded and cleaned as a Unix path; the query has
    /// the parameters of ``S3Configuration`` as `forcePathStyle` or `force-path-style`, and so on.
    ///
    /// A bare `s3://BUCKET`, without a slash after it, means the prefix `.`, as with Litestream.
    ///
    /// - Throws: code `invalidRequest`, with a message that names the part which cannot be used.
    public init(parsing text: String) throws(ObjectStoreError) {
        guard let separator = text.firstRange(of: "://") else {
            guard !text.isEmpty else { throw Self.invalid(text, "it is empty") }
            self = .folder(FilePath(text))
            return
        }
        let rest = text[separator.upperBound...]
        switch text[..<separator.lowerBound].lowercased() {
        case "s3":
            let url = try S3URL(parsing: rest, of: text)
            self = .s3(url.configuration, prefix: url.prefix)
        case "file":
            guard rest.hasPrefix("/") else { throw Self.invalid(text, "a file's URL has three slashes: file:///path") }
            guard let path = String(rest).percentDecoded() else {
                throw Self.invalid(text, "its escapes are malformed")
            }
            self = .folder(FilePath(path))
        case let scheme:
            throw Self.invalid(text, "'\(scheme)' is not served; use s3://…, file:///… or a path")
        }
    }

    /// The place without settings and secrets: `s3://bucket/prefix`, or the folder's path.
    public var description: String {
        switch self {
        case .folder(let path): path.string
        case .s3(let configuration, let prefix): "s3://\(configuration.bucket)/\(prefix)"
        }
    }

    static func invalid(_ text: some StringProtocol, _ fact: String) -> ObjectStoreError {
        // A query may hold a customer key.
        let shown = text.prefix { $0 != "?" }
        return ObjectStoreError(.invalidRequest, "The replica's URL '\(shown)' cannot be used: \(fact).")
    }
}
