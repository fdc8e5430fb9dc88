public import LTX
public import SystemPackage

/// Finds transaction files on this host that hold what files of a replica hold, so that these need not be fetched.
public struct LocalSources: Sendable {
    /// The local file of a level and range, if there is one.
    public typealias Lookup = @Sendable (_ level: Int, _ min: TransactionID, _ max: TransactionID) -> FilePath?

    private let lookUp: Lookup

    /// Up to so many single transactions stand in for a merged file.
    private static let transactionLimit: UInt64 = 4096

    /// Creates a finder.
    ///
    /// - Parameter lookUp: Answers with the path of a complete local file that is not removed while it is merged; may
    ///   block. Levels above 0 may be answered with `nil` always.
    public init(_ lookUp: @escaping Lookup) { self.lookUp = lookUp }

    /// No local file at all.
    public static let none = LocalSources { _, _, _ in nil }

    /// The local files, oldest first, that hold what a file of the replica holds: a copy of it, or all the single
    /// transactions that went into it. May block.
    func files(for file: ReplicaFile) -> [FilePath]? {
        if let path = lookUp(file.level, file.min, file.max) { return [path] }
        let count = file.max.rawValue - file.min.rawValue
        guard file.level > 0, count < Self.transactionLimit else { return nil }
        var paths: [FilePath] = []
        for number in file.min.rawValue...file.max.rawValue {
            let transaction = TransactionID(rawValue: number)
            guard let path = lookUp(0, transaction, transaction) else { return nil }
            paths.append(path)
        }
        return paths
    }
}
