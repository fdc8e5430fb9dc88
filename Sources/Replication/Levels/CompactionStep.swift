public import LTX
public import ObjectStorage

/// One merge to be made.
public struct CompactionStep: Hashable, Sendable {
    /// The level that the result belongs to: 1 to 8, or 9 for a snapshot.
    public let level: Int
    /// The files to merge, oldest first; empty where only a read of the live database can make the snapshot.
    public let sources: [ReplicaFile]
    /// The first transaction of the result.
    public let min: TransactionID
    /// The last transaction of the result.
    public let max: TransactionID
    /// Since when the step has been due.
    public let due: Timestamp

    /// Creates a merge of files.
    ///
    /// - Precondition: `sources` is a chain and not empty.
    init(level: Int, sources: [ReplicaFile], due: Timestamp) {
        precondition(!sources.isEmpty, "a merge needs files")
        (self.level, self.sources, self.due) = (level, sources, due)
        (min, max) = (sources[0].min, sources[sources.count - 1].max)
    }

    /// Creates a snapshot that bridges a hole, to be read from the live database as of `transaction`.
    init(bridgeTo transaction: TransactionID, due: Timestamp) {
        (level, sources, self.due) = (ReplicaLayout.snapshotLevel, [], due)
        (min, max) = (.first, transaction)
    }

    /// Whether the result is a snapshot.
    public var isSnapshot: Bool { level == ReplicaLayout.snapshotLevel }
}
