import Foundation
import SystemPackage
import TestDatabases
import TestSupport
import Testing

extension ProcessTests {
    @Suite("Power loss", .timeLimit(.minutes(60))) struct PowerLossTests {
        /// A database that was put back to an older state of its own: its log had not reached the disk, as it may be with
        /// `synchronous` NORMAL, while what the node keeps had.
        @Test(
            "The returned node follows the authority; what it committed by itself is a tail",
            arguments: [false, true],
            [false, true]
        )
        func older(addsCommits: Bool, otherTakesOver: Bool) async throws {
            try await ProcessCluster.run("power-\(addsCommits)-\(otherTakesOver)") { cluster in
                // What was not shipped went with the power.
                cluster.takesOutTails = false
                let (primary, standby) = try await cluster.settle()
                try await work(on: primary)
                let copies = [primary.database.string, primary.database.string + "-wal"]
                _ = try await primary.command("write off")
                _ = try await primary.command("sync")
                for path in copies { try Self.copy(path, to: path + ".older") }
                _ = try await primary.command("write on")
                try await work(on: primary)
                let (epoch, mark) = (try await primary.status().number("epoch"), standby.mark)
                if !otherTakesOver { try await standby.kill() }
                try await primary.kill()
                if otherTakesOver { try await cluster.waitForWrite(on: standby, above: epoch, after: mark) }
                for path in copies { try Self.copy(path + ".older", to: path) }
                try? FileManager.default.removeItem(atPath: primary.database.string + "-shm")
                if addsCommits { try Self.commit(primary) }
                try primary.start()
                if !otherTakesOver {
                    // Its own lease: it goes on by itself.
                    try await primary.wait(for: "it writes again", after: 0) {
                        $0.kind == "first-write" && $0.number("epoch") > epoch
                    }
                    try standby.start()
                }
                try await cluster.settle()
                if addsCommits {
                    let file = try SQLiteFile(primary.database, .init(creates: false))
                    let isGone = try file.integer("SELECT count(*) FROM sqlite_schema WHERE name = 'extra'") == 0
                    file.close()
                    #expect(isGone, "what was committed beside the chain is a tail")
                    try await primary.waitForStatus("its tail is listed") { $0.number("tails") >= 1 }
                    let kept = try await cluster.takeOutTails().map { path in
                        let tail = try SQLiteFile(path, .init(creates: false))
                        defer { tail.close() }
                        return try tail.query("SELECT body FROM extra").compactMap { $0[0].text }
                    }
                    #expect(kept == [["written by itself"]])
                }
            }
        }

        private static func commit(_ node: HostedNode) throws {
            let file = try SQLiteFile(node.database, .init(creates: false, autocheckpoint: 0))
            defer { file.close() }
            try file.execute("CREATE TABLE extra(body TEXT); INSERT INTO extra VALUES ('written by itself')")
        }

        /// Copies a file; one that is there stays the same file.
        private static func copy(_ from: String, to target: String) throws {
            let content = try Data(contentsOf: URL(filePath: from))
            if !FileManager.default.fileExists(atPath: target) {
                _ = FileManager.default.createFile(atPath: target, contents: nil)
            }
            let file = try FileHandle(forWritingTo: URL(filePath: target))
            try file.truncate(atOffset: 0)
            try file.write(contentsOf: content)
            try file.close()
        }
    }
}
