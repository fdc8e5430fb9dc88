/// Which levels a replica has above level 0, and how often they are made.
public struct LevelSettings: Hashable, Sendable {
    /// The intervals of levels 1, 2 and so on; at most 8. An empty array: no merging.
    public var intervals: [Duration]
    /// How often a snapshot is made; `nil`: only the first copy is published as one.
    public var snapshotInterval: Duration?

    /// Creates settings; the defaults are Litestream's: 30 s, 5 min, 1 h, and a snapshot a day.
    ///
    /// - Precondition: There are at most 8 intervals, and all are longer than zero.
    public init(
        intervals: [Duration] = [.seconds(30), .seconds(300), .seconds(3600)],
        snapshotInterval: Duration? = .seconds(86400)
    ) {
        precondition(intervals.count <= 8, "level 9 is for snapshots, so there are at most 8 others above level 0")
        precondition(
            (intervals + [snapshotInterval].compactMap(\.self)).allSatisfy { $0 > .zero },
            "intervals are positive"
        )
        (self.intervals, self.snapshotInterval) = (intervals, snapshotInterval)
    }
}
