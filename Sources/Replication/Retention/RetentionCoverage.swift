import LTX

/// Whether what a file holds is held by others that will stay.
struct RetentionCoverage {
    enum State: Hashable {
        /// Verified files hold it.
        case covered
        /// Files hold it of which these were not verified yet.
        case unverified([ReplicaFile])
        /// Nothing else holds it.
        case uncovered
    }

    /// The newest snapshot, which always stays.
    private let snapshot: ReplicaFile?
    /// Levels 1 to 8, by first transaction.
    private let merged: [ReplicaFile]
    private let mergedCoverage: TransactionCoverage
    private let verifiedCoverage: TransactionCoverage
    /// The first transaction of level 1; below it only snapshots hold what level 0 holds.
    private let mergedFrom: TransactionID?
    private let verified: Set<String>

    init(listing: ReplicaListing, verified: Set<String>, hasLevels: Bool) {
        snapshot = listing[ReplicaLayout.snapshotLevel].max { ($0.max, $0.created) < ($1.max, $1.created) }
        merged = hasLevels ? listing[1] : []
        mergedCoverage = TransactionCoverage(merged.map(\.range))
        verifiedCoverage = TransactionCoverage(merged.lazy.filter { verified.contains($0.key) }.map(\.range))
        mergedFrom = merged.first?.min
        self.verified = verified
    }

    /// Whether the newest snapshot holds a range.
    func isCoveredBySnapshot(_ range: ClosedRange<TransactionID>) -> State {
        guard let snapshot, snapshot.range.contains(range.upperBound), snapshot.max > range.upperBound else {
            return .uncovered
        }
        return verified.contains(snapshot.key) ? .covered : .unverified([snapshot])
    }

    /// Whether level 1 holds what a file of level 0 does; for what came before level 1 began, the newest snapshot.
    func ofLevel0(_ range: ClosedRange<TransactionID>) -> State {
        guard let mergedFrom else { return .uncovered }
        guard range.upperBound >= mergedFrom else {
            guard let snapshot, snapshot.range.contains(range.upperBound) else { return .uncovered }
            return verified.contains(snapshot.key) ? .covered : .unverified([snapshot])
        }
        if verifiedCoverage.covers(range) { return .covered }
        guard mergedCoverage.covers(range) else { return .uncovered }
        return .unverified(merged.filter { $0.range.overlaps(range) && !verified.contains($0.key) })
    }
}
