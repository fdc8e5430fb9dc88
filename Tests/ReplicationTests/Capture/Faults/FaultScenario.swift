import Replication
import SystemPackage
import TestDatabases
import TestSupport

/// One row of the table of fault points: a point, what happens there, and where the engine runs.
struct FaultScenario: Hashable, Sendable, CustomStringConvertible {
    enum Kind: String, CaseIterable, Sendable {
        /// kill -9 and a new start.
        case kill = "k"
        /// Up to 30 ms longer, under load.
        case stretch = "s"
        /// One commit, just there.
        case write = "w"
        /// A TRUNCATE checkpoint of the application, just there.
        case truncate = "t"
        /// A reader of the application begins, just there.
        case read = "r"
    }

    let point: FaultPoint
    let kind: Kind
    let isInProcess: Bool

    var description: String { "\(point.rawValue) \(kind.rawValue)\(isInProcess ? " in process" : "")" }

    /// The kinds that capture-review F names for each point.
    static let kinds: [(points: [FaultPoint], kinds: [Kind])] = [
        ([.attached, .continuityJudged], [.kill, .stretch, .write, .truncate]),
        ([.newReaderBegun, .twoReaders, .beforeOldReaderEnds], [.kill, .stretch, .write, .truncate, .read]),
        ([.fileWritten, .recordWritten, .pageTableWritten], [.kill]),
        ([.beforePassive, .afterPassive], [.kill, .stretch]),
        ([.gateHeld, .backfilledUnderGate, .readZeroUnderGate, .gateReleased], [.kill, .stretch, .read]),
        ([.beforeRestart, .movedDuringRestart, .afterRestart], [.kill, .stretch, .write, .read]),
        ([.afterMove, .onReadZero], [.kill, .write, .truncate]),
        ([.newGenerationSeen, .fenceBusy], [.stretch]),
        ([.copying, .copied, .merging], [.kill, .stretch, .write, .truncate]),
        ([.detaching], [.kill]),
    ]

    static let all: [Self] = kinds.flatMap { row in
        row.points.flatMap { point in
            row.kinds.flatMap { kind in
                [false, true].map { Self(point: point, kind: kind, isInProcess: $0) }
            }
        }
    }

    /// A short share, in which each row and each kind occurs.
    static let short: [Self] = [
        .init(point: .continuityJudged, kind: .write, isInProcess: false),
        .init(point: .twoReaders, kind: .kill, isInProcess: false),
        .init(point: .beforeOldReaderEnds, kind: .truncate, isInProcess: true),
        .init(point: .fileWritten, kind: .kill, isInProcess: false),
        .init(point: .recordWritten, kind: .kill, isInProcess: true),
        .init(point: .pageTableWritten, kind: .kill, isInProcess: false),
        .init(point: .afterPassive, kind: .kill, isInProcess: false),
        .init(point: .gateHeld, kind: .read, isInProcess: false),
        .init(point: .readZeroUnderGate, kind: .kill, isInProcess: false),
        .init(point: .movedDuringRestart, kind: .stretch, isInProcess: false),
        .init(point: .onReadZero, kind: .kill, isInProcess: true),
        .init(point: .newGenerationSeen, kind: .stretch, isInProcess: false),
        .init(point: .copying, kind: .truncate, isInProcess: false),
        .init(point: .merging, kind: .kill, isInProcess: false),
        .init(point: .detaching, kind: .kill, isInProcess: false),
    ]
}

extension FaultScenario {
    /// What one run came to.
    struct Outcome: Sendable {
        /// How often the point was passed with its fault.
        var passings = 0
        var checks = 0
    }

    /// Plays the scenario: continues afterwards, replay equal page for page, no id twice, the source undamaged, and no
    /// copy that was not expected.
    func play(seed: UInt64, in folder: FilePath) async throws -> Outcome {
        let session = HostSession(folder.appending("app.db"))
        try SQLiteFile.makeDatabase(session.database, rows: needsLargeLog ? 400 : 40).close()
        try startOthers(session, seed)
        var outcome = Outcome()
        switch kind {
        case .kill: outcome.passings = try await playDeaths(session, seed)
        case .stretch:
            try await session.start(options(seed) + ["point=\(point.rawValue)", "stretch=\(seed)"])
            try await watch(session, rounds: 4)
            outcome.passings = 1
        case .write, .truncate, .read:
            if isInProcess {
                let options = options(seed) + ["point=\(point.rawValue)", "act=\(kind.rawValue)"]
                try await session.start(options)
                try await watch(session, rounds: 4)
                outcome.passings = 1
            } else {
                outcome.passings = try await playActs(session, seed)
            }
        }
        try await session.end()
        guard session.unexpected.isEmpty else { throw TestSupportError("unexpected: \(session.unexpected)") }
        guard session.applicationFailures.isEmpty else {
            throw TestSupportError("writes of the application failed: \(session.applicationFailures.prefix(5))")
        }
        outcome.checks = session.checks
        return outcome
    }

    private var needsLargeLog: Bool { [.copying, .copied, .merging].contains(point) }

    private func options(_ seed: UInt64) -> [String] {
        ["soft=60", "known=1", "interval-ms=20"] + (isInProcess ? ["app=\(seed)"] : [])
    }

    private func startOthers(_ session: HostSession, _ seed: UInt64) throws {
        try session.startOther("writer", seed: seed, rate: 300)
        if [.beforeRestart, .movedDuringRestart, .afterRestart].contains(point) {
            // RESTART is tried where overlapping readers keep the log from beginning anew.
            for reader in 0..<4 { try session.startOther("reader", seed: seed + UInt64(reader), rate: 0) }
            try session.startOther("plain", seed: seed + 7, rate: 1000)
        } else if [.fenceBusy, .newGenerationSeen, .onReadZero].contains(point) {
            try session.startOther("checkpointer", seed: seed + 1, rate: 60)
        } else {
            try session.startOther("checkpointer", seed: seed + 1, rate: 20)
        }
    }

    private func watch(_ session: HostSession, rounds: Int) async throws {
        for round in 0..<rounds {
            try await Task.sleep(for: .milliseconds(150))
            try await session.check("\(self), round \(round)")
        }
    }

    private func playDeaths(_ session: HostSession, _ seed: UInt64) async throws -> Int {
        var deaths = 0
        for life in 0..<3 {
            // At attach a point is passed once in a life, and the page table is written after a copy alone.
            let count = isPassedOnce ? 1 : UInt64(life) * 2 + seed % 3 + 1
            try await session.start(
                options(seed) + ["point=\(point.rawValue)", "kill-at=\(count)"],
                attaches: ![.attached, .continuityJudged, .copying].contains(point)
            )
            if point == .detaching { session.send("stop") }
            if try await session.waitForDeath(within: isPassedOnce ? .seconds(2) : .seconds(4)) != nil { deaths += 1 }
            try await session.kill()
            try await session.start(options(seed))
            try await session.check("\(self), after death \(life)")
            try await session.kill()
        }
        return deaths
    }

    private var isPassedOnce: Bool {
        [.attached, .continuityJudged, .copying, .copied, .merging, .pageTableWritten, .detaching].contains(point)
    }

    /// The engine waits at the point while an application of this process acts.
    private func playActs(_ session: HostSession, _ seed: UInt64) async throws -> Int {
        let application = try SQLiteFile(session.database, .init(creates: false, busyTimeout: .milliseconds(20)))
        var readers: [SQLiteFile] = []
        defer { for reader in readers { reader.close() } }
        if isPassedOnce {
            try await session.start(options(seed))
            try await session.flush()
            try await session.kill()
            try application.setBusyTimeout(.seconds(20))
            try application.write()
            try application.setBusyTimeout(.milliseconds(20))
        }
        try await session.start(
            options(seed) + ["point=\(point.rawValue)", "ask-at=\(isPassedOnce ? 1 : 2)", "asks=4"],
            attaches: false
        )
        var asked = 0
        let deadline = ContinuousClock.now + .seconds(4)
        while asked < 4, ContinuousClock.now < deadline {
            guard session.lines.filter({ $0.hasPrefix("at ") }).count > asked else {
                try await Task.sleep(for: .milliseconds(2))
                continue
            }
            asked += 1
            do {
                switch kind {
                case .write: try application.write()
                case .truncate: try application.checkpoint(.truncate)
                default:
                    let reader = try SQLiteFile(session.database, .init(creates: false))
                    try reader.execute("BEGIN; SELECT count(*) FROM item")
                    readers.append(reader)
                    if readers.count > 2 { readers.removeFirst().close() }
                }
            } catch let failure as SQLiteFailure where failure.isBusy {
                if application.isInTransaction { try? application.execute("ROLLBACK") }  // It is over in any case.
            }
            session.send("go")
        }
        for reader in readers { reader.close() }
        readers = []
        for _ in 0..<8 { session.send("go") }
        application.close()
        try await session.wait(for: "attached")
        try await watch(session, rounds: 2)
        return asked
    }
}
