public import SystemPackage

/// `replica`: where a database is replicated to, and how fast.
///
/// Every setting may also stand at the top level of the file, as the default of all replicas that do not set it;
/// only `type`, `url`, `path` and `name` may not.
public struct ReplicaConfiguration: Hashable, Sendable {
    /// The kind of a replica; minor releases may add more.
    public struct Kind: Hashable, Sendable, CustomStringConvertible {
        private enum Wrapped: String { case file, s3 }
        private let wrapped: Wrapped

        /// A folder of this host.
        public static let file = Self(wrapped: .file)
        /// A bucket of S3, MinIO, or another server with their protocol.
        public static let s3 = Self(wrapped: .s3)

        public var description: String { wrapped.rawValue }
    }

    /// `type`, `file` or `s3`, default `file`; the scheme of `url` goes before it.
    public var type: Kind

    /// `path`, or the path of `url`; required for `file`.
    ///
    /// For `file` the folder: absolute, without `..`. For `s3` what stands before the keys, as it is written: `a/`,
    /// `/b` and the empty path are three different places (see ``keyPrefix``).
    public var path: String

    /// `name`, text, default none: a label of 0.3, shown in logs only.
    public var name: String?

    /// `sync-interval`, duration > 0, default `1s`: the shortest time between two uploads.
    public var syncInterval: Duration = .seconds(1)

    /// `max-sync-ltx-files`, files ≥ 0, default 256: the most level-0 files shipped in one go. Zero is no bound.
    public var maxSyncLTXFiles = 256

    /// `auto-recover`, bool: accepted and always on. A replica that cannot be continued is begun anew with a whole copy.
    public var autoRecover = true

    /// `validation-interval` (a key of 0.3), duration, default none: how often this replica is restored to a temporary
    /// file and compared; none is ``ReplicationConfiguration/validationInterval``.
    public var validationInterval: Duration?

    /// The settings of an `s3` replica; unused for `file`.
    public var s3 = S3Settings()

    /// Creates a replica at its defaults.
    public init(type: Kind, path: String) { (self.type, self.path) = (type, path) }

    /// A replica in a folder.
    public static func folder(_ path: FilePath) -> Self { Self(type: .file, path: path.string) }

    /// What every object key of an `s3` replica starts with: ``path`` and a slash, by plain concatenation as
    /// Litestream does it. The empty path gives `/`, and the URL `s3://BUCKET` gives `./`.
    public var keyPrefix: String { path + "/" }

    /// The place, for people: `/backup/app`, or `s3://BUCKET/PATH`.
    public var displayName: String {
        type == .file ? path : "s3://\(s3.bucket)/\(path)"
    }
}
