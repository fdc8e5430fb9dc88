/// How long the files of a replica are kept.
public struct RetentionSettings: Hashable, Sendable {
    /// Whether files are deleted from the store; local files are dropped in any case.
    public var isEnabled: Bool
    /// How long snapshots are kept; the newest stays. What the levels hold goes with the snapshots it builds upon.
    public var snapshots: Duration
    /// How long files of level 0 are kept once level 1 holds what they hold; zero: for ever, here as at the store.
    public var level0: Duration
    /// The pace at which files of level 0 are dropped: a multiple of this since 0001-01-01 UTC.
    public var level0CheckInterval: Duration

    /// Creates settings; the defaults are Litestream's: 24 h, 5 min, looked at each 15 s.
    ///
    /// - Precondition: No duration is negative, and the check interval is longer than zero.
    public init(
        isEnabled: Bool = true,
        snapshots: Duration = .seconds(86400),
        level0: Duration = .seconds(300),
        level0CheckInterval: Duration = .seconds(15)
    ) {
        precondition(snapshots >= .zero && level0 >= .zero, "files are not kept for less than no time")
        precondition(level0CheckInterval > .zero, "the check interval is positive")
        (self.isEnabled, self.snapshots) = (isEnabled, snapshots)
        (self.level0, self.level0CheckInterval) = (level0, level0CheckInterval)
    }
}
