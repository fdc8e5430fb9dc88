import Synchronization
import TestDatabases
import TestSupport

/// Waits for the store on behalf of single commits, and notes those that it was told are there.
final class ReplicatedAsker: Sendable {
    private struct State {
        var waiting = 0
        var acknowledged = 0
        var failed = 0
        var lastTrouble = ""
    }

    /// How many may wait at a time; further commits do not ask.
    private static let limit = 64

    private let stream: AsyncStream<ProofRow>
    private let continuation: AsyncStream<ProofRow>.Continuation
    private let journal: ProofJournalWriter?
    private let timeout: Duration
    private let state = Mutex(State())

    init(journal: ProofJournalWriter?, timeout: Duration) {
        (self.journal, self.timeout) = (journal, timeout)
        // Bounded by the number that waits.
        (stream, continuation) = AsyncStream<ProofRow>.makeStream()
    }

    /// How many were acknowledged, and how many waits failed.
    var counts: (acknowledged: Int, failed: Int) { state.withLock { ($0.acknowledged, $0.failed) } }

    /// Has a row wait, unless too many do.
    func ask(_ row: ProofRow) {
        let isFree = state.withLock { state in
            guard state.waiting < Self.limit else { return false }
            state.waiting += 1
            return true
        }
        if isFree { continuation.yield(row) }
    }

    /// Waits for rows until the task is cancelled.
    func run(_ node: any HostedNode) async {
        await withDiscardingTaskGroup { group in
            for await row in stream {
                group.addTask { await self.wait(for: row, node) }
            }
        }
    }

    private func wait(for row: ProofRow, _ node: any HostedNode) async {
        let asked = BootClock.now
        do {
            try await node.waitForStore(timeout: timeout)
            try journal?.replicated(row, asked: asked, done: BootClock.now)
            state.withLock { state in
                (state.waiting, state.acknowledged) = (state.waiting - 1, state.acknowledged + 1)
                state.lastTrouble = ""
            }
        } catch {
            let trouble = "\(error)"
            let isNew = state.withLock { state in
                (state.waiting, state.failed) = (state.waiting - 1, state.failed + 1)
                defer { state.lastTrouble = trouble }
                return state.lastTrouble != trouble
            }
            if isNew { say("replicate-failed n=\(row.n) t=\(BootClock.now) \(trouble)") }
        }
    }
}
