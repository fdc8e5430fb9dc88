public import LTX
public import ObjectStorage

/// Where a replica's files lie in its store.
///
/// Litestream keeps two trees, which cannot be copied onto each other without renaming: in folders
/// `ltx/LEVEL/MIN-MAX.ltx` with the level in decimal, in buckets `PREFIX/LLLL/MIN-MAX.ltx` with four hex digits.
public struct ReplicaLayout: Hashable, Sendable {
    /// The levels that a replica can have.
    public static let levels = 0...9
    /// The level of snapshots, whose files begin at transaction 1 and overlap.
    public static let snapshotLevel = 9

    private enum Shape: Hashable { case folder, bucket(prefix: String) }
    private let shape: Shape

    /// The layout of a folder, whose root the store knows.
    public static let folder = Self(shape: .folder)

    /// The layout of a bucket.
    ///
    /// - Parameter prefix: Taken as it stands: keys are `prefix + "/" + …`, so that the empty prefix gives keys with a
    ///   leading slash, and a prefix with a trailing slash gives two slashes, as Litestream does.
    public static func s3(prefix: String) -> Self { Self(shape: .bucket(prefix: prefix)) }

    /// Whether a listing tells the time in a file's header; otherwise it is asked for file by file.
    public var listsTimestamps: Bool { shape == .folder }

    /// What the keys of a level begin with, up to the last slash and with it.
    ///
    /// - Precondition: `level` is one of ``levels``.
    public func prefix(level: Int) -> String {
        precondition(Self.levels.contains(level), "levels are 0 to 9")
        switch shape {
        case .folder: return "ltx/\(level)/"
        case .bucket(let prefix): return "\(prefix)/000\(level)/"
        }
    }

    /// The key of a file.
    public func key(level: Int, min: TransactionID, max: TransactionID) -> String {
        prefix(level: level) + LTXFileName(min: min, max: max).description
    }

    /// What an object of a listing is; `nil` for names of another form (temporary files, sub-folders).
    public func file(_ object: ObjectInfo, level: Int) -> ReplicaFile? {
        let prefix = prefix(level: level)
        guard object.key.utf8.starts(with: prefix.utf8),
            let name = LTXFileName(String(object.key.dropFirst(prefix.count)))
        else { return nil }
        return ReplicaFile(
            level: level,
            min: name.min,
            max: name.max,
            byteCount: object.byteCount,
            created: object.modified,
            key: object.key
        )
    }
}
