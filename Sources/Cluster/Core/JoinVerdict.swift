/// Where a database stands on the chain when its node starts, or was fenced (failover-review N9). A pure decision.
enum JoinVerdict: Hashable, Sendable {
    /// At `point` of the chain, with own transactions beyond it that no store is known to hold.
    case stands(at: ChainPoint, ahead: [FileMark])
    /// It holds something that is on no record: it is kept aside as a whole.
    case unknown

    /// Decides by what this host knows; whether the chain went another way is seen when it is followed.
    ///
    /// After a power cut the database may be behind its records: then the authority wins, and it follows from there.
    static func decide(_ finding: DatabaseFinding, leftOut rules: Set<ProtocolRule>) -> JoinVerdict {
        if rules.contains(.blindApply) || rules.contains(.revert) {
            return .stands(at: finding.recorded, ahead: [])
        }
        if finding.checksum == finding.recorded.checksum { return .stands(at: finding.recorded, ahead: []) }
        if let tip = finding.ahead.lastIndex(where: { $0.point.checksum == finding.checksum }) {
            return .stands(at: finding.recorded, ahead: Array(finding.ahead[...tip]))
        }
        // It died between applying a file and writing that down.
        if let intended = finding.intended, intended.checksum == finding.checksum {
            return .stands(at: intended, ahead: [])
        }
        if let older = finding.older.last(where: { $0.checksum == finding.checksum }) {
            return .stands(at: older, ahead: [])
        }
        return .unknown
    }
}

/// What a node finds of its database and its records on its own disk.
public struct DatabaseFinding: Hashable, Sendable {
    /// The checksum of the database as it is.
    public var checksum: UInt64
    /// The place that was recorded last: accepted by the store, or applied from it.
    public var recorded: ChainPoint
    /// The place of the file that was about to be applied, written down before; `nil` if none was.
    public var intended: ChainPoint?
    /// Earlier places that the records know, ascending.
    public var older: [ChainPoint]
    /// The files of own transactions behind the recorded place, ascending and without a gap.
    public var ahead: [FileMark]
    /// The epoch of the recorded place, where it is known.
    public var epoch: Epoch

    /// Creates a finding.
    public init(
        checksum: UInt64,
        recorded: ChainPoint,
        intended: ChainPoint? = nil,
        older: [ChainPoint] = [],
        ahead: [FileMark] = [],
        epoch: Epoch = .zero
    ) {
        (self.checksum, self.recorded, self.intended) = (checksum, recorded, intended)
        (self.older, self.ahead, self.epoch) = (older, ahead, epoch)
    }
}
