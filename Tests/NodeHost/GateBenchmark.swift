import Cluster
import Foundation
import GRDB
import SQLiteReplicate
import SystemPackage
import TestSupport

/// What the write gate costs an ordinary commit: two connections to databases of their own, one with the gate's
/// observer, take turns.
///
///     node-host bench-gate FOLDER [COMMITS]
enum GateBenchmark {
    private static let block = 50

    static func run(_ arguments: [String]) throws {
        guard let folder = arguments.first.map({ FilePath($0) }) else {
            throw TestSupportError("usage: node-host bench-gate FOLDER [COMMITS]")
        }
        let commits = arguments.count > 1 ? Int(arguments[1]) ?? 40_000 : 40_000
        let gate = WriteGateControl()
        gate.set(WriteGate(openUntil: Moment(reading: .nanoseconds(BootClock.now)) + .seconds(3600)))
        let plain = try open(folder.appending("plain.db"), nil)
        let gated = try open(folder.appending("gated.db"), gate)
        var (plainTimes, gatedTimes, plainBlocks, gatedBlocks): ([Int64], [Int64], [Double], [Double]) = (
            [], [], [], []
        )
        // The first blocks warm caches and count for nothing.
        let blocks = max(commits / block, 20)
        for number in 0..<(blocks + 20) {
            let order = number.isMultiple(of: 2) ? [false, true] : [true, false]
            for isGated in order {
                let times = try measure(isGated ? gated : plain)
                guard number >= 20 else { continue }
                let mean = Double(times.reduce(0, +)) / Double(times.count)
                if isGated {
                    gatedTimes += times
                    gatedBlocks.append(mean)
                } else {
                    plainTimes += times
                    plainBlocks.append(mean)
                }
            }
        }
        let asks = try askingTime(gate)
        let (a, b) = (median(plainTimes.map(Double.init)), median(gatedTimes.map(Double.init)))
        let differences = zip(gatedBlocks, plainBlocks).map { $0 - $1 }
        say("commits each           \(plainTimes.count), in blocks of \(block), taking turns")
        say("median without gate    \(microseconds(a)) µs")
        say("median with gate       \(microseconds(b)) µs")
        say("difference of medians  \(microseconds(b - a)) µs, \(percent((b - a) / a)) %")
        say("median of the differences of blocks  \(microseconds(median(differences))) µs a commit")
        say("asking the gate alone  \(asks) ns")
        let limit = max(a * 0.02, 2000)
        say("\(b - a <= limit ? "within" : "ABOVE") the bound of 2 % or 2 µs")
        exit(b - a <= limit ? 0 : 1)
    }

    private static func measure(_ queue: DatabaseQueue) throws -> [Int64] {
        defer { try? queue.inDatabase { _ = try $0.checkpoint(.truncate) } }  // The next block starts with a short log.
        return try queue.inDatabase { database in
            let statement = try database.cachedStatement(sql: "INSERT INTO note(body) VALUES (?)")
            var times: [Int64] = []
            for _ in 0..<block {
                let start = BootClock.now
                try database.inTransaction(.immediate) {
                    try statement.execute(arguments: [
                        "a hundred characters of text, more or less, as applications write them, day by day"
                    ])
                    return .commit
                }
                times.append(BootClock.now - start)
            }
            return times
        }
    }

    private static func open(_ path: FilePath, _ gate: WriteGateControl?) throws -> DatabaseQueue {
        var configuration = Configuration()
        configuration.prepareDatabase { database in
            try database.execute(
                sql: "PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA wal_autocheckpoint = 0"
            )
        }
        if let gate { WriteGateObserver(gate).watch(&configuration) }
        let queue = try DatabaseQueue(path: path.string, configuration: configuration)
        try queue.write { try $0.execute(sql: "CREATE TABLE note(id INTEGER PRIMARY KEY, body TEXT)") }
        return queue
    }

    private static func askingTime(_ gate: WriteGateControl) throws -> Int64 {
        let count: Int64 = 1_000_000
        let start = BootClock.now
        for _ in 0..<count {
            guard gate.isOpen else { throw TestSupportError("the gate has closed meanwhile") }
        }
        return (BootClock.now - start) / count
    }

    private static func median(_ values: [Double]) -> Double { values.sorted()[values.count / 2] }

    private static func microseconds(_ nanoseconds: Double) -> String { String(format: "%.2f", nanoseconds / 1000) }

    private static func percent(_ share: Double) -> String { String(format: "%.1f", share * 100) }
}
