/// An epoch as two hosts without a witness tell one from another: by its number, and then by its node (failover-review W1).
///
/// Each host may hear an operator's word while it sees only one of the two cells; both may come to the same number. The node
/// decides then, so that whoever meets the other's epoch knows which is newer.
public struct EpochStamp: Hashable, Comparable, Sendable, CustomStringConvertible {
    /// The number.
    public var epoch: Epoch
    /// Who began it.
    public var node: NodeID

    /// Creates a stamp.
    public init(epoch: Epoch, node: NodeID) { (self.epoch, self.node) = (epoch, node) }

    /// Before the first one.
    public static let zero = EpochStamp(epoch: .zero, node: NodeID(rawValue: 0))

    public static func < (lhs: Self, rhs: Self) -> Bool { (lhs.epoch, lhs.node) < (rhs.epoch, rhs.node) }

    public var description: String { "\(epoch) of \(node)" }
}

extension Lease {
    /// The epoch of this body, and its node.
    package var stamp: EpochStamp { EpochStamp(epoch: epoch, node: node) }
}

extension FileMark {
    /// The epoch in which the file was written, and its node.
    package var stamp: EpochStamp { EpochStamp(epoch: epoch, node: node) }
}
