public import LTX
public import ObjectStorage

/// What is to be merged now, and when to look again.
///
/// A level is due at the first multiple of its interval after the oldest file that it has not taken in. It then takes in
/// all files of the level below that follow its own last one without a hole. A snapshot is due likewise, for whatever
/// follows the newest one. Where nothing new has come, nothing is due at any time.
///
/// A whole copy of a database never travels up the levels: the first is published as a snapshot, and the levels begin
/// behind it. So it lies in the store twice, where it was first put and at level 9.
///
/// After a step was carried out its result changes what the levels above may take in: insert it into the listing and
/// plan again, until there is no step.
public struct CompactionPlan: Hashable, Sendable {
    /// The merges that are due, lowest level first, at most one a level.
    public fileprivate(set) var steps: [CompactionStep] = []
    /// When the next merge becomes due if nothing is added to the replica; `nil`: never.
    public fileprivate(set) var nextDue: Timestamp?

    /// Plans.
    ///
    /// - Parameters:
    ///   - listing: All levels of the replica.
    ///   - settings: The levels and their intervals.
    ///   - now: The present moment.
    ///   - acceptedThrough: The highest transaction that the store is known to have accepted: files beyond it are not
    ///     taken in.
    ///   - bridgesHoles: Whether transactions that are missing are known to be lost, so that a snapshot is to be read
    ///     from the live database.
    public init(
        listing: ReplicaListing,
        settings: LevelSettings,
        now: Timestamp,
        acceptedThrough: TransactionID,
        bridgesHoles: Bool = false
    ) {
        var planner = Planner(listing: listing.filter { $0.max <= acceptedThrough }, now: now)
        for (index, interval) in settings.intervals.enumerated() { planner.planLevel(index + 1, every: interval) }
        planner.planFirstSnapshot(every: settings.intervals.first ?? settings.snapshotInterval ?? .seconds(86400))
        if let interval = settings.snapshotInterval { planner.planSnapshot(every: interval) }
        if bridgesHoles { planner.planBridge() }
        self = planner.plan
    }

    fileprivate init() {}
}

private struct Planner {
    let listing: ReplicaListing
    let now: Timestamp
    var plan = CompactionPlan()

    /// The most files that one step merges. More of them make several steps, one after the other.
    private static let sourceLimit = 4096

    mutating func planLevel(_ level: Int, every interval: Duration) {
        let chain = sources(for: level)
        guard let first = chain.first else { return }
        add(CompactionStep(level: level, sources: chain, due: due(first, every: interval)))
    }

    /// The files that a level takes in next: a chain from where the level ends.
    private func sources(for level: Int) -> [ReplicaFile] {
        let own = listing.highest(level: level)?.rawValue
        // A level begins behind a whole copy: the oldest that its sources follow, which keeps the most of history.
        // Later on a snapshot bridges what is missing below.
        let copies = listing[level - 1].filter(\.isSnapshot) + listing[ReplicaLayout.snapshotLevel]
        let starts = copies.map(\.max.rawValue).filter { $0 > own ?? 0 }.sorted()
        for start in [own].compactMap(\.self) + starts {
            let chain = Self.chain(of: listing[level - 1].lazy.filter { !$0.isSnapshot }, from: start)
            if !chain.isEmpty { return chain }
        }
        return []
    }

    /// The files, given by first transaction, that lead from a position on without a hole.
    private static func chain(of files: some Sequence<ReplicaFile>, from start: UInt64) -> [ReplicaFile] {
        var (chain, position) = ([ReplicaFile](), start)
        var best: ReplicaFile?
        for file in files where file.max.rawValue > position {
            if file.min.rawValue - 1 > position {
                guard let next = best else { break }
                chain.append(next)
                (position, best) = (next.max.rawValue, nil)
                guard chain.count < sourceLimit, file.min.rawValue - 1 <= position else { break }
            }
            if file.max.rawValue > best?.max.rawValue ?? position { best = file }
        }
        if let best, chain.count < sourceLimit { chain.append(best) }
        return chain
    }

    /// Publishes a whole copy as a snapshot, where the replica has none.
    mutating func planFirstSnapshot(every interval: Duration) {
        guard listing[ReplicaLayout.snapshotLevel].isEmpty else { return }
        // Of several the shortest: what follows it can then be merged level by level.
        let copies = (0..<ReplicaLayout.snapshotLevel).compactMap { listing[$0].first { $0.isSnapshot } }
        guard let copy = copies.min(by: { $0.max < $1.max }) else { return }
        add(CompactionStep(level: ReplicaLayout.snapshotLevel, sources: [copy], due: due(copy, every: interval)))
    }

    mutating func planSnapshot(every interval: Duration) {
        guard let newest = listing.highest(level: ReplicaLayout.snapshotLevel),
            let reach = listing.highestContiguous, newest < reach,
            let oldest = listing.files.filter({ $0.max > newest }).min(by: { $0.created < $1.created })
        else { return }
        let due = due(oldest, every: interval)
        guard due <= now else { return remember(due) }
        guard let sources = RestorableStates(listing.files).chain(to: reach.rawValue) else { return }
        add(CompactionStep(level: ReplicaLayout.snapshotLevel, sources: sources, due: due))
    }

    mutating func planBridge() {
        guard let highest = listing.highest, highest != listing.highestContiguous else { return }
        plan.steps.removeAll { $0.isSnapshot }
        add(CompactionStep(bridgeTo: highest, due: now))
    }

    /// The first boundary after a file came. One dated far in the future, by a clock that was wrong, is due at once.
    private func due(_ file: ReplicaFile, every interval: Duration) -> Timestamp {
        if file.created > now.advanced(by: interval) { return now }
        return Boundaries(every: interval).first(after: file.created)
    }

    private mutating func add(_ step: CompactionStep) {
        if step.due <= now { plan.steps.append(step) } else { remember(step.due) }
    }

    private mutating func remember(_ due: Timestamp) { plan.nextDue = min(plan.nextDue ?? due, due) }
}
