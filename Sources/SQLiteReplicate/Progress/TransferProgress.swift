/// How far a long transfer is, as the library tells it.
public struct TransferProgress: Hashable, Sendable {
    /// Bytes done so far.
    public var doneBytes: Int64
    /// All bytes there are to do; `nil` while that is not known.
    public var totalBytes: Int64?

    /// Creates a state of a transfer.
    public init(doneBytes: Int64, totalBytes: Int64? = nil) {
        (self.doneBytes, self.totalBytes) = (doneBytes, totalBytes)
    }

    /// The share that is done, from 0 to 1; `nil` while the total is not known. Nothing to do is all done.
    public var fraction: Double? {
        guard let totalBytes else { return nil }
        guard totalBytes > 0 else { return 1 }
        return min(max(Double(doneBytes) / Double(totalBytes), 0), 1)
    }
}
