public import LTX
public import ObjectStorage

/// A level-0 file in the local metadata folder.
public struct LocalFile: Hashable, Sendable {
    /// Its transaction.
    public let transaction: TransactionID
    /// When it was written.
    public let created: Timestamp

    /// Creates a description of a local file.
    public init(transaction: TransactionID, created: Timestamp) {
        (self.transaction, self.created) = (transaction, created)
    }
}
