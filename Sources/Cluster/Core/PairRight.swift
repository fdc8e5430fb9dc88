/// Where the right to write lies between two hosts without a witness, as one of them reads the two cells, and what it takes
/// to claim it there (failover-review W2, W3, W9). A pure decision.
public struct PairRight: Hashable, Sendable {
    /// The store in whose cell it lies, so far as this node can see; a claim swaps that cell.
    public let site: ChainSite
    /// The cell's body; `nil` where this node's own cell gives no right and the peer's cannot be read.
    public let body: Lease?
    /// The operator's word without which it must not be claimed; `nil`: none is needed.
    public let word: PairWord?
    /// The highest number of the epochs that were read.
    private let highest: Epoch

    /// Decides by the two cells.
    ///
    /// - Parameters:
    ///   - own: The cell in this host's store.
    ///   - peer: The cell in the peer's store, read after the own one; `nil` where it cannot be read.
    ///   - ownEnd: The epoch of the newest file in this host's store; `nil` where none is known.
    ///   - node: This node.
    public init(own: Lease, peer: Lease?, ownEnd: EpochStamp?, node: NodeID) {
        self.init(own: own, peer: peer, ownEnd: ownEnd, node: node, leavingOut: [])
    }

    init(own: Lease, peer: Lease?, ownEnd: EpochStamp?, node: NodeID, leavingOut rules: Set<ProtocolRule>) {
        highest = max(own.epoch, peer?.epoch ?? .zero)
        let cells = [(ChainSite.own, own), (.peer, peer)].compactMap { site, body in body.map { (site, $0) } }
        let live = cells.filter { $1.state != .moved || rules.contains(.movedClaimable) && $1.node == node }
        // One node holds both with one epoch on its way from its own store to the other: the right is still in its own.
        func rank(_ cell: (site: ChainSite, body: Lease)) -> (EpochStamp, Int) {
            let isHoldersOwn = (cell.site == .own) == (cell.body.node == node)
            return (cell.body.stamp, isHoldersOwn ? 1 : 0)
        }
        guard let (site, body) = live.max(by: { rank($0) < rank($1) }) else {
            (self.site, self.body, word) = (.own, nil, .blind)
            return
        }
        (self.site, self.body) = (site, body)
        if cells.contains(where: { $1.state == .moved && $1.stamp > body.stamp }), !rules.contains(.movedClaimable) {
            // A right that was moved away in a newer epoch lies in neither: the store of that cell went back in time.
            word = .blind
        } else if body.node == node || body.isReleased(to: node) {
            word = nil
        } else if site == .own, peer == nil, ownEnd != body.stamp, !rules.contains(.trustHeld) {
            // The holder may not have moved its own cell yet. It ships only after that: no file of its epoch is here.
            word = .blind
        } else {
            word = .clear
        }
    }

    /// The number of a claim: above all that was read and tried.
    ///
    /// A blind word's is far above whatever restarts on the other side may reach meanwhile.
    public func nextEpoch(tried: Epoch) -> Epoch { nextEpoch(tried: tried, leavingOut: []) }

    func nextEpoch(tried: Epoch, leavingOut rules: Set<ProtocolRule>) -> Epoch {
        let last = max(highest, tried).rawValue
        let isFar = word == .blind && !rules.contains(.noTieBreak)
        let (next, isTooHigh) = last.addingReportingOverflow(isFar ? Self.blindStep : 1)
        return Epoch(rawValue: isTooHigh ? .max : next)
    }

    /// By how much a blind word's epoch is above the highest one known.
    public static let blindStep: UInt64 = 65_536
}

extension Lease {
    /// Whether its session has let go, and `node` may claim at once.
    func isReleased(to node: NodeID) -> Bool { state == .free || state == .handoff && successor == node }
}
