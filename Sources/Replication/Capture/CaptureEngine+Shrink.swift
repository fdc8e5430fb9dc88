import SQLiteFormat

extension CaptureEngine {
    /// The log's file is given back when it is longer than so many times the soft limit.
    private static let tooLong = 4

    /// Gives the room of a long log back once the database is quiet: a burst, or a reader that stayed open for long,
    /// would otherwise leave a file of that size for good, since SQLite overwrites a log but does not shorten it.
    ///
    /// To be called on READ0 with everything backfilled: for us it is then as if the application had run a TRUNCATE
    /// checkpoint. Where somebody reads, it is tried again later.
    func shrinkLog(_ now: ContinuousClock.Instant) throws {
        shrinkAt = nil
        let frames = Int64(softLimit) * Int64(Self.tooLong)
        guard try walFile().byteCount() > frames * Int64(pageSize.byteCount), locksHeldLately(now) else { return }
        guard try filesAreOurs() else { throw Discontinuity(.anotherFile) }
        // The log also proves continuity if this process dies: not while something is in memory only.
        if hasNothingOpen, copy == nil, copyDue == nil,
            try gateConnection().checkpointRestart(
                until: .now + .milliseconds(10),
                truncates: true,
                unless: { false }
            )
        {
            counters.shrinks += 1
        } else {
            shrinkAt = now + .seconds(10)
        }
    }
}
