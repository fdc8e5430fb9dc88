import Foundation
import LTX
import ObjectStorage
import SystemPackage
import TestDatabases
import TestSupport
import Testing

@testable import Replication

/// What may lie where a restore writes, and what is left there.
@Suite struct RestoreOutputTests {
    /// A replica with 6 transactions, and a folder beside it for outputs.
    private func withReplica(
        _ body: (_ replica: Replica, _ history: TestHistory, _ folder: FilePath) async throws -> Void
    ) async throws {
        var history = TestHistory(seed: 1)
        history.commit(count: 6)
        try await withReplicaFolder { folder in
            let replica = Replica(store: FolderStore(root: folder.appending("replica")), layout: .folder)
            try await history.put((1...6).map { (0, $0...$0) }, into: replica)
            let output = folder.appending("out")
            try FileManager.default.createDirectory(atPath: output.string, withIntermediateDirectories: true)
            try await body(replica, history, output)
        }
    }

    private func write(_ text: String, to path: FilePath) throws {
        try text.write(toFile: path.string, atomically: false, encoding: .utf8)
    }

    private func read(_ path: FilePath) throws -> [UInt8] { [UInt8](try Data(contentsOf: URL(filePath: path.string))) }

    @Test(
        "R-75: Sidecars of an older database are refused, whether or not it is there",
        arguments: ["-wal", "-shm", "-journal"]
    )
    func leftovers(_ ending: String) async throws {
        try await withReplica { replica, history, folder in
            let (output, sidecar) = (folder.appending("app.db"), folder.appending("app.db" + ending))
            try write("old", to: sidecar)
            for content in [nil, "", "old"] {
                if let content { try write(content, to: output) }
                let error = await #expect(throws: ReplicaError.self) {
                    _ = try await Restorer(replica).restore(.latest, to: output)
                }
                #expect(error?.code == .outputExists)
                #expect(content == "old" || error?.message.contains(sidecar.string) == true)
                #expect(try fileNames(in: folder) == (content == nil ? [] : ["app.db"]) + ["app.db" + ending])
            }
            try await Restorer(replica).restore(.latest, to: output, options: RestoreOptions(replacesOutput: true))
            #expect(try read(output) == history.database(after: history.last))
            #expect(try fileNames(in: folder) == ["app.db"])
        }
    }

    #if os(Linux)
        @Test("A restored database may be opened in this process as soon as it is there: its locks stay")
        func locks() async throws {
            try await withReplicaFolder { folder in
                let path = folder.appending("app.db")
                let source = try SQLiteFile(path)
                try source.execute("PRAGMA journal_mode = WAL; CREATE TABLE note(body TEXT)")
                source.close()
                let bytes = try read(path)
                let place = folder.appending("restored.db")
                var output: RestoreOutput? = try RestoreOutput(place)
                _ = try output?.descriptor.writeAll(bytes)
                try output?.publish(replaces: false)
                let application = try SQLiteFile(place, .init(creates: false))
                try application.execute("SELECT count(*) FROM note")
                output = nil
                let inode = try FileManager.default.attributesOfItem(atPath: place.string)[.systemFileNumber] as? Int
                // To its end: it may be longer than one read gives.
                let text = try FileHandle(forReadingFrom: URL(filePath: "/proc/locks")).readToEnd() ?? Data()
                let locks = String(decoding: text, as: UTF8.self).split(separator: "\n")
                let own = locks.filter { $0.contains(" \(getpid()) ") && $0.contains(":\(inode ?? 0) ") }
                #expect(!own.isEmpty, "SQLite's lock on the database is gone")
                application.close()
            }
        }
    #endif

    @Test("R-75: A forced restore that does not succeed leaves the old database and its sidecars as they were")
    func failingForce() async throws {
        try await withReplica { replica, _, folder in
            let output = folder.appending("app.db")
            for ending in ["", "-wal", "-shm", "-journal"] {
                try write("old\(ending)", to: folder.appending("app.db\(ending)"))
            }
            let key = replica.layout.key(level: 0, min: TransactionID(rawValue: 3), max: TransactionID(rawValue: 3))
            let path = try #require(replica.store.localFile(key))
            var bytes = try read(path)
            bytes[bytes.count - 1] ^= 1
            try Data(bytes).write(to: URL(filePath: path.string))
            let error = await #expect(throws: ReplicaError.self) {
                try await Restorer(replica).restore(.latest, to: output, options: RestoreOptions(replacesOutput: true))
            }
            #expect(error?.code == .damaged)
            for ending in ["", "-wal", "-shm", "-journal"] {
                #expect(try read(folder.appending("app.db\(ending)")) == Array("old\(ending)".utf8))
            }
            #expect(try fileNames(in: folder).count == 4)
        }
    }

    @Test("An existing database is refused, an empty file is replaced, a folder is always refused")
    func existing() async throws {
        try await withReplica { replica, history, folder in
            let output = folder.appending("app.db")
            try write("something", to: output)
            let exists = await #expect(throws: ReplicaError.self) {
                try await Restorer(replica).restore(.latest, to: output)
            }
            #expect(exists?.code == .outputExists)
            #expect(try read(output) == Array("something".utf8))

            try write("", to: output)
            try await Restorer(replica).restore(.latest, to: output)
            #expect(try read(output) == history.database(after: history.last))

            for replaces in [false, true] {
                let unusable = await #expect(throws: ReplicaError.self) {
                    try await Restorer(replica).restore(
                        .latest,
                        to: folder,
                        options: RestoreOptions(replacesOutput: replaces)
                    )
                }
                #expect(unusable?.code == .outputUnusable)
            }
        }
    }

    @Test("R-76: Nothing is left beside the output of a cancelled restore")
    func cancelled() async throws {
        try await withReplica { replica, _, folder in
            let root = folder.removingLastComponent().appending("replica")
            let (stream, continuation) = AsyncStream<Void>.makeStream()
            let store = ProbeStore(root) { (request) throws(ObjectStoreError) in
                guard case .get = request else { return }
                continuation.yield()
                do { try await Task.sleep(for: .seconds(3600)) } catch {
                    throw ObjectStoreError(.cancelled, "cancelled")
                }
            }
            let restorer = Restorer(Replica(store: store, layout: .folder))
            try await withThrowingTaskGroup { group in
                group.addTask { _ = try await restorer.restore(.latest, to: folder.appending("app.db")) }
                for await _ in stream { break }
                let meanwhile = try fileNames(in: folder)
                #expect(meanwhile == ["app.db.tmp"])
                group.cancelAll()
                let result = await group.nextResult()
                #expect(throws: (any Error).self) { try result?.get() }
            }
            #expect(try fileNames(in: folder) == [])
        }
    }

    @Test("R-76: The unfinished file of a process that was killed is taken over, that of a running restore is not")
    func temporaryFile() async throws {
        try await withReplica { replica, history, folder in
            let output = folder.appending("app.db")
            try write(String(repeating: "left over ", count: 10_000), to: folder.appending("app.db.tmp"))
            try await Restorer(replica).restore(.latest, to: output)
            #expect(try read(output) == history.database(after: history.last))
            #expect(try fileNames(in: folder) == ["app.db"])

            let other = folder.appending("other.db")
            let running = try RestoreOutput(other)
            let error = await #expect(throws: ReplicaError.self) {
                try await Restorer(replica).restore(.latest, to: other)
            }
            #expect(error?.code == .outputBusy)
            running.discard()
            try await Restorer(replica).restore(.latest, to: other)
        }
    }

    @Test("R-77: Folders above the output are made")
    func parentFolders() async throws {
        try await withReplica { replica, history, folder in
            let output = folder.appending("a/b/c/app.db")
            try await Restorer(replica).restore(.latest, to: output)
            #expect(try read(output) == history.database(after: history.last))
        }
    }

    @Test("A database that the integrity check finds wrong does not get its name")
    func integrityCheck() async throws {
        try await withReplica { replica, history, folder in
            let output = folder.appending("app.db")
            var options = RestoreOptions(integrityCheck: { path in
                // As SQLite does on a database in WAL mode.
                try "".write(toFile: path.string + "-wal", atomically: false, encoding: .utf8)
                return ["row 3 missing from index"]
            })
            let error = await #expect(throws: ReplicaError.self) {
                try await Restorer(replica).restore(.latest, to: output, options: options)
            }
            #expect(error?.code == .integrityCheck && error?.message.contains("row 3") == true)
            #expect(try fileNames(in: folder) == [])

            options.integrityCheck = { path in
                let byteCount = try Data(contentsOf: URL(filePath: path.string)).count
                #expect(byteCount == history.database(after: history.last).count)
                return []
            }
            try await Restorer(replica).restore(.latest, to: output, options: options)
            #expect(try fileNames(in: folder) == ["app.db"])
        }
    }
}
