import LTX

/// Whether transaction files that wait for the store get there. A pure decision.
///
/// A file that has just been closed is no standstill, however long ago the one before it was shipped: an idle database
/// is healthy, and so is a backlog that moves.
struct BacklogProgress: Sendable {
    /// So long nothing may reach the store while something waits.
    static let longestStandstill = Duration.seconds(60)

    private var newestClosed: UInt64 = 0
    private var newestShipped: UInt64 = 0
    /// When something was shipped last, or began to wait after nothing had waited.
    private var progressedAt: ContinuousClock.Instant

    /// Begins at a moment, as if something had been shipped.
    init(at now: ContinuousClock.Instant) { progressedAt = now }

    /// A transaction file is complete and waits for the store.
    mutating func closed(_ transaction: UInt64, at now: ContinuousClock.Instant) {
        if newestShipped >= newestClosed { progressedAt = now }
        newestClosed = max(newestClosed, transaction)
    }

    /// The store has accepted all up to a transaction.
    mutating func shipped(_ transaction: UInt64, at now: ContinuousClock.Instant) {
        newestShipped = max(newestShipped, transaction)
        progressedAt = now
    }

    /// Whether there was progress lately.
    func moves(at now: ContinuousClock.Instant) -> Bool { progressedAt.duration(to: now) < Self.longestStandstill }
}
