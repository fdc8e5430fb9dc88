public import LTX
public import ObjectStorage

/// One transaction file of a replica, as a listing tells of it.
public struct ReplicaFile: Hashable, Sendable {
    /// The level, 0 to 9: 0 holds single transactions, 1 to 8 merges, 9 snapshots.
    public let level: Int
    /// The first transaction that the file carries.
    public let min: TransactionID
    /// The last transaction that the file carries: applying the file leads to the state after it.
    public let max: TransactionID
    /// The file's size in bytes.
    public let byteCount: Int64
    /// When the file's content was committed, as far as the listing knows.
    ///
    /// In a folder that is the time in the file's header. A bucket's listing tells the time of the upload instead;
    /// ``Replica/withTimestamps(_:around:)`` asks for the header's time.
    public var created: Timestamp
    /// Where the file lies in its store.
    public let key: String
    /// Whether the file is known to hold all pages although it does not begin at transaction 1: a history goes on with it
    /// (failover-review G3).
    var beginsAnew = false

    /// Creates a description of a file.
    public init(
        level: Int,
        min: TransactionID,
        max: TransactionID,
        byteCount: Int64,
        created: Timestamp,
        key: String
    ) {
        (self.level, self.min, self.max) = (level, min, max)
        (self.byteCount, self.created, self.key) = (byteCount, created, key)
    }

    /// The transactions that the file carries.
    public var range: ClosedRange<TransactionID> { min...max }

    /// Whether the file holds a whole database rather than changes: exactly if it begins at transaction 1.
    public var isSnapshot: Bool { min.rawValue == 1 }

    /// Whether applying the file to the state after transaction `position` (0: nothing) leads further.
    ///
    /// The file may begin before that state's end: what it carries of older transactions is in the state already.
    func continues(_ position: UInt64) -> Bool { earliestBase <= position && position < max.rawValue }

    /// The earliest transaction to whose state the file can be applied; 0: to nothing.
    var earliestBase: UInt64 { beginsAnew ? 0 : min.rawValue - 1 }
}
