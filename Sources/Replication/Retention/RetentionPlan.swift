public import LTX
public import ObjectStorage

/// What may be dropped now, and when to look again.
///
/// - Snapshots go when they are older than their retention.
/// - Levels 1 and up lose what ends before the snapshot that stood just before the oldest kept one: one generation more
///   than needed, for restores under way.
/// - Level 0 loses what is older than its retention and lies in level 1, from its low end on.
///
/// Whatever the rule, the newest file of a level stays, a file only goes if files that stay and that were read back and
/// verified hold what it holds, and the licence must allow it.
public struct RetentionPlan: Hashable, Sendable {
    /// Files to delete from the store, in this order.
    public fileprivate(set) var deletions: [ReplicaFile] = []
    /// Local files of level 0 to remove, ascending.
    public fileprivate(set) var localDeletions: [TransactionID] = []
    /// Files to read back and verify before more can be dropped.
    public fileprivate(set) var unverified: [ReplicaFile] = []
    /// When the next file comes of age if nothing is added; `nil`: none does.
    public fileprivate(set) var nextDue: Timestamp?

    /// Plans.
    ///
    /// - Parameters:
    ///   - listing: All levels of the replica.
    ///   - localFiles: The level-0 files in the local metadata folder, ascending.
    ///   - settings: What is kept for how long.
    ///   - levelCount: How many levels are merged above level 0.
    ///   - verified: Keys of files that were read back and found whole.
    ///   - licence: What may be deleted at all.
    ///   - keepLocalFrom: The lowest transaction whose local file is still in use; `nil`: none is.
    ///   - now: The present moment.
    public init(
        listing: ReplicaListing,
        localFiles: [LocalFile] = [],
        settings: RetentionSettings,
        levelCount: Int,
        verified: Set<String>,
        licence: DeletionLicence,
        keepLocalFrom: TransactionID? = nil,
        now: Timestamp
    ) {
        var planner = Planner(
            listing: listing,
            settings: settings,
            levelCount: levelCount,
            verified: verified,
            licence: licence,
            now: now
        )
        if settings.isEnabled { planner.planStore() }
        planner.planLocal(localFiles, keepFrom: keepLocalFrom)
        self = planner.plan
    }

    fileprivate init() {}
}

private struct Planner {
    let listing: ReplicaListing
    let settings: RetentionSettings
    let levelCount: Int
    let verified: Set<String>
    let licence: DeletionLicence
    let now: Timestamp
    var plan = RetentionPlan()
    private let coverage: RetentionCoverage

    init(
        listing: ReplicaListing,
        settings: RetentionSettings,
        levelCount: Int,
        verified: Set<String>,
        licence: DeletionLicence,
        now: Timestamp
    ) {
        (self.listing, self.settings, self.levelCount) = (listing, settings, levelCount)
        (self.verified, self.licence, self.now) = (verified, licence, now)
        coverage = RetentionCoverage(listing: listing, verified: verified, hasLevels: levelCount > 0)
    }

    mutating func planStore() {
        let snapshots = listing[ReplicaLayout.snapshotLevel].sorted { ($0.max, $0.min) < ($1.max, $1.min) }
        let oldest = snapshots.dropLast().firstIndex { !isOlder($0.created, than: settings.snapshots) }
        let oldestKept = oldest ?? Swift.max(0, snapshots.count - 1)
        let floor = oldestKept > 0 ? snapshots[oldestKept - 1].max : nil

        // Snapshots last: a pass that ends half-way finds the same floor again.
        if let floor { planLevels(below: floor) }
        if levelCount > 0 { planLevel0() }
        for snapshot in snapshots.dropLast() {
            guard isOlder(snapshot.created, than: settings.snapshots) else {
                remember(snapshot.created.advanced(by: settings.snapshots))
                continue
            }
            delete(snapshot, if: coverage.isCoveredBySnapshot(snapshot.range))
        }
    }

    private mutating func planLevels(below floor: TransactionID) {
        for level in (levelCount > 0 ? 1 : 0)..<ReplicaLayout.snapshotLevel {
            let newest = listing.highest(level: level)
            // What the level above has not taken in yet stays, or its chain would break.
            let mergedThrough = level < levelCount ? listing.highest(level: level + 1)?.rawValue ?? 0 : .max
            for file in listing[level] where file.max < floor && file.max != newest {
                guard file.max.rawValue <= mergedThrough else { continue }
                delete(file, if: coverage.isCoveredBySnapshot(file.range))
            }
        }
    }

    private mutating func planLevel0() {
        guard settings.level0 > .zero else { return }
        let newest = listing.highest(level: 0)
        for file in listing[0] where file.max != newest {
            let state = coverage.ofLevel0(file.range)
            guard isOlder(file.created, than: settings.level0) else {
                if state != .uncovered { rememberLevel0(file.created) }
                break
            }
            delete(file, if: state)
        }
    }

    mutating func planLocal(_ files: [LocalFile], keepFrom: TransactionID?) {
        guard settings.level0 > .zero, let newest = files.last?.transaction else { return }
        for file in files where file.transaction < Swift.min(newest, keepFrom ?? newest) {
            guard licence.allows(level: 1, max: file.transaction) else { break }
            let range = file.transaction...file.transaction
            let isStored =
                levelCount == 0 && listing.file(level: 0, min: range.lowerBound, max: range.upperBound) != nil
            let state = isStored ? .covered : coverage.ofLevel0(range)
            guard isOlder(file.created, than: settings.level0) else {
                if state != .uncovered { rememberLevel0(file.created) }
                break
            }
            switch state {
            case .covered: plan.localDeletions.append(file.transaction)
            case .unverified(let files): verify(files)
            case .uncovered: break
            }
        }
    }

    private mutating func delete(_ file: ReplicaFile, if state: RetentionCoverage.State) {
        guard licence.allows(level: file.level, max: file.max) else { return }
        switch state {
        case .covered: plan.deletions.append(file)
        case .unverified(let files): verify(files)
        case .uncovered: break
        }
    }

    private mutating func verify(_ files: [ReplicaFile]) {
        for file in files where plan.unverified.last != file && !plan.unverified.contains(file) {
            plan.unverified.append(file)
        }
    }

    private func isOlder(_ moment: Timestamp, than age: Duration) -> Bool { moment.advanced(by: age) < now }

    private mutating func rememberLevel0(_ created: Timestamp) {
        let due = created.advanced(by: settings.level0)
        remember(Boundaries(every: settings.level0CheckInterval).first(after: due))
    }

    /// Remembers the first moment at which something is *older* than its age.
    private mutating func remember(_ due: Timestamp) {
        let due = due.advanced(by: .milliseconds(1))
        plan.nextDue = Swift.min(plan.nextDue ?? due, due)
    }
}
