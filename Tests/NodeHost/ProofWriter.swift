import Cluster
import Foundation
import GRDB
import SQLiteReplicate
import Synchronization
import SystemPackage
import TestDatabases
import TestSupport

#if canImport(Darwin)
    import Darwin
#elseif canImport(Glibc)
    import Glibc
#endif

/// An application that writes whenever it may, each row proving all before it, and notes outside what it committed.
///
/// It has a thread and a connection of its own, as any application has; the connection stays open whatever the role.
final class ProofWriter: Sendable {
    private struct State {
        var isOn: Bool
        var isStopping = false
        /// Whether a write is under way, or waits for its turn.
        var isBusy = false
        var hasEnded = false
        /// The epoch in which the node writes; none while it is not the primary.
        var epoch: Int64?
        var commits = 0
        var refusals = 0
    }

    private let options: HostOptions
    private let gate: WriteGateControl
    private let journal: ProofJournalWriter?
    /// Called after a commit that is to wait for the store.
    private let asks: @Sendable (ProofRow) -> Void
    private let state: Mutex<State>

    init(
        _ options: HostOptions,
        gate: WriteGateControl,
        journal: ProofJournalWriter?,
        asks: @escaping @Sendable (ProofRow) -> Void
    ) {
        (self.options, self.gate, self.journal, self.asks) = (options, gate, journal, asks)
        state = Mutex(State(isOn: options.writes))
    }

    /// Commits so far, and how often one was refused.
    var counts: (commits: Int, refusals: Int) { state.withLock { ($0.commits, $0.refusals) } }

    /// Lets it write, or not; then nothing is committed any more once this returns.
    func set(isOn: Bool) async {
        state.withLock { $0.isOn = isOn }
        while !isOn, state.withLock(\.isBusy) { try? await Task.sleep(for: .milliseconds(1)) }
    }

    /// Tells it the epoch; none while the node is not the primary.
    func set(epoch: Int64?) { state.withLock { $0.epoch = epoch } }

    /// Begins to write, on a thread of its own.
    func start() {
        let thread = Thread { [self] in
            run()
            state.withLock { $0.hasEnded = true }
        }
        thread.name = "proof writer"
        thread.start()
    }

    /// Ends writing, and waits for that.
    func stop() {
        state.withLock { $0.isStopping = true }
        while !state.withLock(\.hasEnded) { usleep(1000) }
    }

    private func run() {
        let clock = AskingClock()
        var queue: DatabaseQueue?
        var (isWriting, lastTrouble, lastEpoch) = (false, "", Int64(0))
        let pause = options.rate > 0 ? 1_000_000_000 / Int64(options.rate) : 0
        var next = BootClock.now
        while true {
            let (isStopping, isOn, epoch) = state.withLock { state in
                state.isBusy = state.isOn && !state.isStopping && state.epoch != nil
                return (state.isStopping, state.isOn, state.epoch)
            }
            guard !isStopping else { return }
            guard isOn, epoch != nil else {
                isWriting = false
                usleep(1000)
                continue
            }
            // While it has been the primary it tries although the gate has closed: the refusal is what is tested.
            guard gate.isOpen || isWriting else {
                usleep(1000)
                continue
            }
            let now = BootClock.now
            if next > now { usleep(UInt32((next - now) / 1000)) }
            next = max(next + pause, BootClock.now - 100_000_000)
            do {
                let opened = try queue ?? open(clock)
                queue = opened
                let row = try write(opened)
                let done = BootClock.now
                try journal?.committed(row, asked: clock.asked, done: done)
                let commits = state.withLock { state in
                    state.commits += 1
                    return state.commits
                }
                if !isWriting || row.epoch != lastEpoch { say("first-write n=\(row.n) epoch=\(row.epoch) t=\(done)") }
                (isWriting, lastTrouble, lastEpoch) = (true, "", row.epoch)
                if options.replicatedEvery > 0, commits.isMultiple(of: options.replicatedEvery) { asks(row) }
            } catch is NoEpoch {
                usleep(1000)  // The gate is ahead of what the node tells of its role.
            } catch let error as WriteRefused {
                if isWriting { say("write-refused t=\(BootClock.now) \(error.reason)") }
                isWriting = false
                state.withLock { $0.refusals += 1 }
            } catch {
                let trouble = "\(error)"
                if trouble != lastTrouble { say("write-failed t=\(BootClock.now) \(trouble)") }
                lastTrouble = trouble
                usleep(5000)
            }
        }
    }

    private struct NoEpoch: Error {}

    private func write(_ queue: DatabaseQueue) throws -> ProofRow {
        try queue.write { database in
            // The node may have been a standby, and have become primary again, while this waited for the write lock.
            guard let epoch = state.withLock(\.epoch) else { throw NoEpoch() }
            let last = try Row.fetchOne(database, sql: ProofRow.last).map { row -> (n: Int64, sum: [UInt8]) in
                (row[0], Array(row[1] as Data))
            }
            let row = ProofRow(after: last, node: options.name, epoch: epoch, at: BootClock.now)
            try database.execute(
                sql: ProofRow.insertion,
                arguments: [row.n, row.node, row.epoch, row.at, Data(row.sum)]
            )
            return row
        }
    }

    private func open(_ clock: AskingClock) throws -> DatabaseQueue {
        var configuration = Configuration()
        configuration.busyMode = .timeout(5)
        configuration.prepareDatabase { database in
            try database.execute(sql: "PRAGMA synchronous = NORMAL; PRAGMA wal_autocheckpoint = 0")
            // Before the gate's own, so that its time is not later than the gate's answer.
            database.add(transactionObserver: clock, extent: .databaseLifetime)
        }
        WriteGateObserver(gate).watch(&configuration)
        return try DatabaseQueue(path: options.database.string, configuration: configuration)
    }
}

/// Takes the time at each commit, just before the gate is asked.
private final class AskingClock: TransactionObserver, Sendable {
    private let time = Atomic<Int64>(0)

    var asked: Int64 { time.load(ordering: .relaxed) }

    func observes(eventsOfKind eventKind: DatabaseEventKind) -> Bool { false }
    func databaseDidChange(with event: DatabaseEvent) {}
    func databaseWillCommit() { time.store(BootClock.now, ordering: .relaxed) }
    func databaseDidCommit(_ db: Database) {}
    func databaseDidRollback(_ db: Database) {}
}
