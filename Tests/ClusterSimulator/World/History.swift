import Cluster

/// Commits of the simulated application, as a set of their numbers (0 to 127), which only grow.
///
/// So one history is another's beginning exactly if they agree up to its highest commit.
struct History: Hashable, Sendable, CustomStringConvertible {
    var commits: UInt128 = 0

    static let limit = 128

    mutating func insert(_ commit: Int) { commits |= 1 << UInt128(commit) }

    func union(_ other: History) -> History { History(commits: commits | other.commits) }
    func intersection(_ other: History) -> History { History(commits: commits & other.commits) }
    func subtracting(_ other: History) -> History { History(commits: commits & ~other.commits) }
    var isEmpty: Bool { commits == 0 }

    /// Whether `other` continues this one.
    func isBeginning(of other: History) -> Bool {
        let width = UInt128(UInt128.bitWidth - commits.leadingZeroBitCount)
        let mask = width == 128 ? ~0 : (UInt128(1) << width) - 1
        return other.commits & mask == commits
    }

    /// What stands for the database's checksum.
    var checksum: UInt64 {
        guard commits != 0 else { return 0 }
        return Self.mix(UInt64(truncatingIfNeeded: commits) ^ Self.mix(UInt64(truncatingIfNeeded: commits >> 64)))
    }

    static func mix(_ value: UInt64) -> UInt64 {
        var mixed = value &+ 0x9e37_79b9_7f4a_7c15
        mixed = (mixed ^ (mixed >> 30)) &* 0xbf58_476d_1ce4_e5b9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
        return mixed ^ (mixed >> 31)
    }

    var description: String {
        "{" + (0..<Self.limit).filter { commits >> UInt128($0) & 1 == 1 }.map(String.init).joined(separator: " ") + "}"
    }
}

/// A transaction file of the simulated chain.
struct SimulatedFile: Hashable, Sendable {
    var mark: FileMark
    var session: SessionID
    var history: History
    /// Whether it holds all pages, and needs none before it.
    var isWhole = false
    /// What the database held before it, where that is watched.
    var base: History?

    init(number: UInt64, node: NodeID, epoch: Epoch, session: SessionID, history: History, isWhole: Bool = false) {
        let point = ChainPoint(number: number, checksum: history.checksum)
        let bytes = History.mix(number ^ History.mix(node.rawValue ^ History.mix(epoch.rawValue)))
        mark = FileMark(point: point, node: node, epoch: epoch, fileChecksum: bytes ^ point.checksum)
        (self.session, self.history, self.isWhole) = (session, history, isWhole)
    }
}
