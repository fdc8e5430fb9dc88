import LTX
import Replication
import SystemPackage
import TestDatabases
import TestSupport

/// One engine at work on one database in this process, and the replay of what it writes.
final class CaptureSession {
    let database: FilePath
    let settings: CaptureSettings
    let events = CaptureEvents()
    private(set) var engine: CaptureEngine
    var replay: LocalReplay
    private(set) var checks = 0

    init(
        _ database: FilePath,
        checksEachMark: Bool = false,
        notifier: ChangeNotifier? = ChangeNotifier(),
        _ adjust: (inout CaptureSettings) -> Void = { _ in }
    ) {
        self.database = database
        var settings = CaptureSettings(database: database)
        settings.syncInterval = .milliseconds(10)
        adjust(&settings)
        self.settings = settings
        replay = LocalReplay(of: database, checksEachMark: checksEachMark)
        engine = CaptureEngine(settings: settings, notifier: notifier, onEvent: events.record)
    }

    /// A new engine for the same database, as after a restart of the process.
    func restart(notifier: ChangeNotifier? = ChangeNotifier(), _ adjust: (inout CaptureSettings) -> Void = { _ in }) {
        var settings = settings
        adjust(&settings)
        engine = CaptureEngine(settings: settings, notifier: notifier, onEvent: events.record)
    }

    /// Holds all writers, lets the engine capture what is there, and compares page for page.
    func check(_ context: @autoclosure () -> String = "") async throws {
        let lock = try SQLiteFile(database, .init(creates: false, busyTimeout: .seconds(20)))
        defer { lock.close() }
        try lock.execute("BEGIN IMMEDIATE")
        // A connection of its own: one that was open before may have pages in its cache that a checkpoint made old.
        let fresh = try SQLiteFile(database, .init(creates: false))
        let source = try fresh.image()
        fresh.close()
        try await flush()
        try replay.follow()
        checks += 1
        try replay.check(against: source, context())
    }

    /// Closes what is captured, waiting for a copy to end.
    @discardableResult
    func flush(within limit: Duration = .seconds(30)) async throws -> TransactionID {
        let deadline = ContinuousClock.now + limit
        while true {
            var failure: (any Error)?
            do {
                if let id = try await engine.flush() { return id }
            } catch {
                failure = error
            }
            guard ContinuousClock.now < deadline else {
                throw TestSupportError(
                    "the engine did not flush within \(limit): \(failure.map { "\($0)" } ?? "a copy")"
                )
            }
            try await Task.sleep(for: .milliseconds(1))
        }
    }

    /// Waits until `condition` holds for the engine's status.
    func wait(
        _ what: String,
        within limit: Duration = .seconds(20),
        until condition: (CaptureEngine.Status) -> Bool
    ) async throws {
        let deadline = ContinuousClock.now + limit
        while true {
            let status = await engine.status()
            if condition(status) { return }
            guard ContinuousClock.now < deadline else {
                throw TestSupportError("\(what): not within \(limit); \(status); failures \(events.failures)")
            }
            try await Task.sleep(for: .milliseconds(2))
        }
    }
}
