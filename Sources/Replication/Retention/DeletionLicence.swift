public import LTX

/// What may be deleted without the danger that a request still under way writes another file in its place.
///
/// The rule: a transaction's name may become free only when nobody can any more try to create it. Outside a cluster
/// that is when no create of ours is unanswered; in a cluster, below the head of a renewed lease, and never at the
/// transactions that a takeover left contested.
public struct DeletionLicence: Hashable, Sendable {
    /// Files that end below this transaction may go; `nil`: none may.
    public let below: TransactionID?
    /// Level-0 files of these transactions are never deleted.
    public let contested: [ClosedRange<TransactionID>]

    /// Creates a licence.
    public init(below: TransactionID?, contested: [ClosedRange<TransactionID>] = []) {
        (self.below, self.contested) = (below, contested)
    }

    /// No licence: nothing may be deleted.
    public static let none = DeletionLicence(below: nil)

    /// The licence of a replica with a single writer.
    ///
    /// - Parameters:
    ///   - acceptedThrough: The highest transaction that the store is known to have accepted.
    ///   - isAnswered: Whether every create that was sent has been answered.
    public static func singleWriter(acceptedThrough: TransactionID, isAnswered: Bool) -> Self {
        isAnswered ? DeletionLicence(below: acceptedThrough.next) : .none
    }

    /// Whether a file may be deleted.
    func allows(level: Int, max: TransactionID) -> Bool {
        guard let below, max < below else { return false }
        return level > 0 || !contested.contains { $0.contains(max) }
    }
}
