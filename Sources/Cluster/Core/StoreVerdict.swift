/// What a database has to do with a store's newest file, where two hosts have no witness (failover-review W4, W6). A pure
/// decision, taken where a right was claimed and while a node waits for one.
enum StoreVerdict: Hashable, Sendable {
    /// It stands on that chain: what is missing is applied.
    case follow
    /// A power cut took from it what that store has: it is put back on the newest state there.
    case restore
    /// It went on elsewhere, and holds what counts there.
    case keep
    /// What it holds beyond its last place is no part of the history any more: that is a tail, and it goes back to the store.
    case leave

    /// What is known of the store and of the database.
    struct Facts: Hashable, Sendable {
        /// Which store it is.
        var site: ChainSite
        /// Whether the database's place lies on its chain; the place on record, where it is astray.
        var holds: Bool
        /// What its newest file says of itself.
        var end: FileMark?
        /// Whether the database is empty, and was never part of anything.
        var isBlank: Bool
        /// The newest epoch that the database was part of.
        var partOf: EpochStamp
        /// Whether the database's place is before the newest file.
        var isBehind: Bool
        /// Whether a power cut took it back behind its own records.
        var wentBack: Bool
        /// Whether it stands at no place that is on record; what it holds was kept aside then.
        var isAstray = false
        /// Whether the place on record lies on its chain, where a power cut took the database back to an earlier one.
        var holdsRecorded = false
        /// This node.
        var node: NodeID
    }

    init(_ facts: Facts) {
        let isOn = facts.holds || facts.isBlank
        guard let end = facts.end else {
            self = isOn && !facts.isAstray ? .follow : .keep
            return
        }
        if isOn {
            self = facts.isAstray ? .restore : .follow
        } else if facts.holdsRecorded {
            // What it has lost lies there, whoever has sealed that since.
            self = .restore
        } else if facts.site == .peer {
            // The peer's store has only what this node has shipped, and seals: those of its owner say nothing of the owner's
            // database, nor of what this one has followed in its own store since.
            let isShipped = end.node == facts.node && end.stamp >= facts.partOf
            self = (facts.wentBack || facts.isAstray) && isShipped ? .restore : .keep
        } else if end.node == facts.node {
            self = .keep
        } else if end.stamp == facts.partOf, facts.isBehind, !facts.isAstray {
            // It was on that chain, and the file that led to its place was merged.
            self = .follow
        } else if end.stamp >= facts.partOf {
            self = .leave
        } else {
            // Never back to a store that the newer epoch has not settled.
            self = .keep
        }
    }
}
