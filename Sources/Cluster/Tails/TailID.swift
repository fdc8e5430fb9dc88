/// Names a tail of a node: the epoch in which it was written, and the transaction that it goes on from.
///
/// The text form is `EPOCH-TRANSACTION`, each 16 hexadecimal digits; where a node has kept several from one place, `-2`,
/// `-3` and so on follow.
public struct TailID: Hashable, Comparable, Sendable, LosslessStringConvertible {
    /// The epoch of the session that wrote it.
    public let epoch: Epoch
    /// The number of the last transaction that it has in common with the chain; 0: none, or unknown.
    public let transaction: UInt64
    /// Which one of several from that place, from 1.
    public let count: Int

    /// There are no more from one place.
    static let highestCount = 9_999

    /// Creates a name.
    ///
    /// - Precondition: `count` is 1 to 9,999.
    public init(epoch: Epoch, transaction: UInt64, count: Int = 1) {
        precondition((1...Self.highestCount).contains(count), "tails of one place count from 1")
        (self.epoch, self.transaction, self.count) = (epoch, transaction, count)
    }

    /// Reads the text form; `nil` for anything else.
    public init?(_ description: String) {
        let parts = description.split(separator: "-", omittingEmptySubsequences: false)
        guard (2...3).contains(parts.count), let epoch = SessionID(String(parts[0])),
            let transaction = SessionID(String(parts[1]))
        else { return nil }
        (self.epoch, self.transaction) = (Epoch(rawValue: epoch.rawValue), transaction.rawValue)
        guard parts.count == 3 else {
            count = 1
            return
        }
        guard let count = Int(parts[2]), (2...Self.highestCount).contains(count), "\(count)" == parts[2] else {
            return nil
        }
        self.count = count
    }

    public var description: String {
        let name = "\(SessionID(rawValue: epoch.rawValue))-\(SessionID(rawValue: transaction))"
        return count == 1 ? name : "\(name)-\(count)"
    }

    public static func < (lhs: Self, rhs: Self) -> Bool {
        (lhs.epoch, lhs.transaction, lhs.count) < (rhs.epoch, rhs.transaction, rhs.count)
    }

    /// The next one from the same place.
    var next: TailID? {
        count < Self.highestCount ? TailID(epoch: epoch, transaction: transaction, count: count + 1) : nil
    }
}

/// A tail as people name it: `ID`, or `NODE/ID` where several nodes have one of that name.
public struct TailReference: Hashable, Comparable, Sendable, LosslessStringConvertible {
    /// Whose it is; `nil`: whoever has one.
    public let node: NodeID?
    /// Which.
    public let id: TailID

    /// Creates a reference.
    public init(node: NodeID? = nil, id: TailID) { (self.node, self.id) = (node, id) }

    /// Reads either form; `nil` for anything else.
    public init?(_ description: String) {
        let parts = description.split(separator: "/", omittingEmptySubsequences: false).map(String.init)
        guard let last = parts.last, let id = TailID(last) else { return nil }
        switch parts.count {
        case 1: self.init(id: id)
        case 2:
            guard let node = NodeID(parts[0]) else { return nil }
            self.init(node: node, id: id)
        default: return nil
        }
    }

    public var description: String { node.map { "\($0)/\(id)" } ?? "\(id)" }

    public static func < (lhs: Self, rhs: Self) -> Bool {
        let (left, right) = (lhs.node?.rawValue ?? 0, rhs.node?.rawValue ?? 0)
        return left == right ? lhs.id < rhs.id : left < right
    }
}
