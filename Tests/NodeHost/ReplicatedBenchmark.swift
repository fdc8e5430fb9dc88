import Cluster
import Foundation
import GRDB
import Logging
import NIOCore
import ObjectStorage
import Replication
import SQLiteReplicate
import ServiceLifecycle
import Synchronization
import SystemPackage
import TestSupport

#if canImport(Darwin)
    import Darwin
#elseif canImport(Glibc)
    import Glibc
#endif

/// How fast commits are that wait for the store: one at a time beside what they are made of, then many at a time.
///
///     node-host bench-replicated DB store=PLACE create=1 [KEY=VALUE ...]
enum ReplicatedBenchmark {
    private static let waiters = 64
    private static let alone = 300
    private static let time: Duration = .seconds(10)

    static func run(_ options: HostOptions) async throws {
        let logger = Logger(label: "bench") { _ in SwiftLogNoOpLogHandler() }
        if options.creates { try NodeHost.create(options.database) }
        let node = try makeNode(options, logger: logger)
        let stores = try stores(options, logger: logger)
        let group = ServiceGroup(services: [node], logger: logger)
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            tasks.addTask { try await group.run() }
            for await role in node.roleChanges where role == .primary { break }
            let queue = try open(options.database, node.gate)
            try await queue.write {
                try $0.execute(sql: "CREATE TABLE IF NOT EXISTS note(id INTEGER PRIMARY KEY, body TEXT)")
            }
            try await node.waitForStore(timeout: .seconds(30))
            let isFast = try await measureAlone(queue, node, stores, options.database)
            let isMany = try await measureMany(queue, node)
            await group.triggerGracefulShutdown()
            try await tasks.waitForAll()
            exit(isFast && isMany ? 0 : 1)
        }
    }

    private static func open(_ path: FilePath, _ gate: WriteGateControl) throws -> DatabaseQueue {
        var configuration = Configuration()
        configuration.busyMode = .timeout(5)
        configuration.prepareDatabase { database in
            try database.execute(sql: "PRAGMA synchronous = NORMAL; PRAGMA wal_autocheckpoint = 0")
        }
        WriteGateObserver(gate).watch(&configuration)
        return try DatabaseQueue(path: path.string, configuration: configuration)
    }

    private static func commit(_ queue: DatabaseQueue) async throws {
        try await queue.write { database in
            try database.execute(
                sql: "INSERT INTO note(body) VALUES (?)",
                arguments: ["a hundred characters or less of text"]
            )
        }
    }

    /// One commit that waits, one PUT of its size, two syncs: in turns.
    private static func measureAlone(
        _ queue: DatabaseQueue,
        _ node: any HostedNode,
        _ stores: ClusterStores,
        _ database: FilePath
    ) async throws -> Bool {
        var (commits, puts, syncs): ([Int64], [Int64], [Int64]) = ([], [], [])
        let body = ByteBuffer(repeating: 7, count: 700)
        let prefix = "bench-\(UInt32.random(in: .min ... .max))/"
        let path = FilePath(database.string + ".sync")
        let file = try FileDescriptor.open(path, .writeOnly, options: .create, permissions: .ownerReadWrite)
        for number in 0..<alone {
            let start = BootClock.now
            try await commit(queue)
            try await node.waitForStore(timeout: .seconds(30))
            commits.append(BootClock.now - start)
            let put = BootClock.now
            _ = try await stores.replica.store.put(
                "\(prefix)\(number)",
                .bytes(body),
                metadata: ObjectMetadata(),
                condition: .ifAbsent
            )
            puts.append(BootClock.now - put)
            let sync = BootClock.now
            for _ in 0..<2 {
                _ = try file.writeAll(Array(repeating: UInt8(1), count: 700))
                fdatasync(file.rawValue)
            }
            syncs.append(BootClock.now - sync)
        }
        try file.close()
        let parts = zip(puts, syncs).map { $0 + $1 }
        let ratio = Double(median(commits)) / Double(median(parts))
        say("one commit that waits for the store  p50 \(text(median(commits))) ms")
        say("one PUT                              p50 \(text(median(puts))) ms")
        say("two writes with fdatasync            p50 \(text(median(syncs))) ms")
        say("PUT and syncs together               p50 \(text(median(parts))) ms")
        say("ratio \(String(format: "%.2f", ratio)), \(ratio <= 3 ? "within" : "ABOVE") the bound of 3")
        return ratio <= 3
    }

    private final class Times: Sendable {
        let values = Mutex<[Int64]>([])
    }

    private static func measureMany(_ queue: DatabaseQueue, _ node: any HostedNode) async throws -> Bool {
        let times = Times()
        let start = BootClock.now
        let end = start + time.components.seconds * 1_000_000_000
        try await withThrowingTaskGroup(of: Void.self) { group in
            for _ in 0..<waiters {
                group.addTask {
                    while BootClock.now < end {
                        let start = BootClock.now
                        try await commit(queue)
                        try await node.waitForStore(timeout: .seconds(30))
                        times.values.withLock { $0.append(BootClock.now - start) }
                    }
                }
            }
            try await group.waitForAll()
        }
        let seconds = Double(BootClock.now - start) / 1e9
        let all = times.values.withLock(\.self)
        let rate = Double(all.count) / seconds
        say(
            "\(waiters) waiters: \(Int(rate)) commits/s, p50 \(text(median(all))) ms, \(rate >= 1000 ? "within" : "BELOW") the bound of 1,000/s"
        )
        return rate >= 1000
    }

    private static func median(_ values: [Int64]) -> Int64 { values.sorted()[values.count / 2] }

    private static func text(_ nanoseconds: Int64) -> String { String(format: "%.2f", Double(nanoseconds) / 1e6) }
}
