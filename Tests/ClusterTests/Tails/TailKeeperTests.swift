import Foundation
import LTX
import ObjectStorage
import Replication
import SystemPackage
import TestDatabases
import TestSupport
import Testing

@testable import Cluster

@Suite(.timeLimit(.minutes(3))) struct TailKeeperTests {
    @Test(
        "N11 A tail behind a fork is its transaction files, and says what is in them",
        arguments: [512, 4096, 65_536]
    )
    func transactions(pageSize: Int) async throws {
        try await withTemporaryFolder { folder in
            let fixture = try TailFixture(folder, pageSize: pageSize)
            try fixture.commit("DELETE FROM events WHERE id = 7")
            let fork = fixture.last
            try fixture.commitSome(3)
            try fixture.commit("CREATE TABLE later(x)")
            let moment = Timestamp(rawValue: 1_760_000_000_000)
            let tail = try await fixture.locked { try TailKeeper.keep(fixture.request(fork: fork), at: moment) }
            let manifest = tail.manifest
            #expect(manifest.id.description == "0000000000000005-0000000000000002")
            #expect(manifest.fork == fork && manifest.base == fork && manifest.node == .one)
            #expect(manifest.state.checksum == fixture.last.checksum)
            #expect(manifest.state.pageSize == pageSize && Int(manifest.state.pageCount) == fixture.image.pageCount)
            #expect(manifest.transactionCount == 4 && manifest.kept == moment && !manifest.hasDatabase)
            #expect(manifest.firstTransaction == TailFixture.start.advanced(by: .seconds(3)))
            #expect(manifest.lastTransaction == TailFixture.start.advanced(by: .seconds(6)))
            #expect(manifest.pageCount == fixture.changes[2...].reduce(into: Set()) { $0.formUnion($1) }.count)
            let tables = manifest.tables
            #expect(tables.problem == nil)
            #expect(tables.tables.map(\.name) == ["events", "later", "sqlite_schema", "users"])
            let events = try #require(tables.tables.first)
            // A row of 20,000 bytes goes on in overflow pages.
            #expect(events.pageCount >= (pageSize > 20_000 ? 1 : 60_000 / pageSize) && events.indexPageCount > 0)
            let counted = tables.tables.reduce(tables.otherPageCount) { $0 + $1.pageCount + $1.indexPageCount }
            #expect(counted == manifest.pageCount)
            #expect(tail.folder == fixture.tails.folder(of: manifest.id))
            for (index, file) in manifest.files.enumerated() {
                let (kept, local) = (tail.folder.appending(file.name), fixture.file(index + 3))
                #expect(try bytes(of: kept) == bytes(of: local) && file.damage == nil)
                #expect(try NewFile.summary(of: kept) == .init(byteCount: file.byteCount, checksum: file.checksum))
            }
            #expect(fileNames(in: tail.folder) == manifest.files.map(\.name) + ["manifest.json"])
            #expect(try fixture.tails.manifest(of: manifest.id) == manifest)
            #expect(fileNames(in: fixture.tails.folder) == ["\(manifest.id)"])
        }
    }

    @Test("Pages that the tail has freed are counted, and those of no table are not named")
    func freed() async throws {
        try await withTemporaryFolder { folder in
            let fixture = try TailFixture(folder, pageSize: 512)
            let fork = fixture.last
            try fixture.commit("DROP TABLE events")
            let tail = try await fixture.locked { try TailKeeper.keep(fixture.request(fork: fork)) }
            #expect(tail.manifest.tables.tables.map(\.name) == ["sqlite_schema"])
            #expect(tail.manifest.tables.otherPageCount > 0 && tail.manifest.tables.problem == nil)
        }
    }

    @Test("N11 Without a fork the database is copied as it stands", arguments: [512, 4096, 65_536], [0, 1, 2])
    func copies(pageSize: Int, checkpoints: Int) async throws {
        try await withTemporaryFolder { folder in
            let fixture = try TailFixture(folder, pageSize: pageSize)
            try fixture.commitSome(4)
            // All in the log; some of it in the database, since a reader is in the way; nothing left in the log.
            var reader: SQLiteFile?
            if checkpoints == 1 {
                reader = try SQLiteFile(fixture.path)
                try reader?.execute("BEGIN; SELECT count(*) FROM users")
                try fixture.commitSome(2)
            }
            if checkpoints > 0 { try fixture.database.checkpoint(.passive) }
            let recorded = fixture.points[1]
            let request = fixture.request(fork: nil, recorded: recorded)
            let tail = try await fixture.locked { try TailKeeper.keep(request) }
            let manifest = tail.manifest
            #expect(manifest.hasDatabase && manifest.fork == nil && manifest.base == recorded)
            #expect(manifest.state.checksum == fixture.last.checksum)
            #expect(manifest.files.map(\.name).contains("db-wal") == (checkpoints < 2))
            #expect(Int(manifest.transactionCount ?? 0) == fixture.points.count - 2)
            #expect(manifest.tables.problem?.contains("transaction files") == true)
            reader?.close()
            // SQLite takes the two files for one database; on copies, for it writes beside what it reads.
            let copy = folder.appending("copy.db")
            for (name, suffix) in [("db", ""), ("db-wal", "-wal")] where fileNames(in: tail.folder).contains(name) {
                try Data(bytes(of: tail.folder.appending(name))).write(to: URL(filePath: copy.string + suffix))
            }
            let opened = try SQLiteFile(copy)
            #expect(try opened.image().complaint(comparedWith: fixture.image) == nil)
            #expect(try opened.integrityCheck() == "ok")
        }
    }

    @Test("What differs from the chain names the tables, where the caller knows it")
    func differences() async throws {
        try await withTemporaryFolder { folder in
            let fixture = try TailFixture(folder)
            try fixture.commit("UPDATE untouched SET x = 1")
            var request = fixture.request(fork: nil, recorded: fixture.last)
            let before = try await fixture.locked { try TailKeeper.keep(request).manifest }
            #expect(before.transactionCount == nil && before.pageCount == nil && before.tables.tables.isEmpty)
            #expect(before.tables.problem?.contains("not known") == true)
            try fixture.tails.remove(before.id)
            request.differingPages = fixture.changes[1]
            let tables = try await fixture.locked { try TailKeeper.keep(request).manifest.tables }
            #expect(tables.tables.map(\.name).contains("untouched") && tables.problem == nil)
        }
    }

    @Test("While a tail is kept, this process's locks on the database stay", .enabled(if: Servers.areExpected))
    func locks() async throws {
        try await withTemporaryFolder { folder in
            let fixture = try TailFixture(folder)
            try fixture.commitSome(2)
            let log = fixture.path.string + "-wal"
            try await fixture.locked {
                _ = try TailKeeper.keep(fixture.request(fork: nil, recorded: fixture.points[0]))
                // With the locks gone, the last one to close a database copies its log and removes it.
                let program = """
                    import sqlite3, sys
                    con = sqlite3.connect(sys.argv[1], timeout=0, isolation_level=None)
                    print(con.execute("select count(*) from users").fetchone()[0])
                    try: con.execute("insert into users(name) values ('no')")
                    except sqlite3.OperationalError as error: print(error)
                    """
                let other = try await ChildProcess.run("python3", ["-c", program, fixture.path.string]).checked()
                #expect(other.standardOutput == "2\ndatabase is locked\n")
            }
            #expect(FileManager.default.fileExists(atPath: log))
            #expect(try fixture.database.image() == fixture.image)
        }
    }

    @Test(
        "N11 A process that dies at any step leaves nothing that the next one does not complete",
        arguments: [true, false]
    )
    func crashes(hasFork: Bool) async throws {
        try await withTemporaryFolder { folder in
            let fixture = try TailFixture(folder)
            try fixture.commitSome(2)
            var request = fixture.request(fork: hasFork ? fixture.points[0] : nil, recorded: fixture.points[0])
            var deaths: [FilePath] = []
            let kept = try await fixture.locked {
                try TailKeeper.keep(request) { _ in
                    let copy = folder.appending("death-\(deaths.count)")
                    let target = LocalTails(metadata: copy).folder
                    let parent = target.removingLastComponent().string
                    try? FileManager.default.createDirectory(atPath: parent, withIntermediateDirectories: true)
                    try? FileManager.default.copyItem(atPath: fixture.tails.folder.string, toPath: target.string)
                    deaths.append(copy)
                }
            }
            #expect(deaths.count == (hasFork ? 5 : 6))
            for (index, death) in deaths.enumerated() {
                request.metadata = death
                let tails = LocalTails(metadata: death)
                // What is unfinished has no name of a tail.
                #expect(try tails.ids().count == (index == deaths.count - 1 ? 1 : 0))
                let again = try await fixture.locked { try TailKeeper.keep(request) }
                #expect(again.manifest.tellsTheSame(as: kept.manifest) && again.manifest.id == kept.manifest.id)
                #expect(fileNames(in: tails.folder) == ["\(kept.manifest.id)"])
                #expect(fileNames(in: again.folder) == fileNames(in: kept.folder))
            }
        }
    }

    @Test("N11 The same tail is kept once, another one of the same place beside it", arguments: [true, false])
    func twice(hasFork: Bool) async throws {
        try await withTemporaryFolder { folder in
            let fixture = try TailFixture(folder)
            try fixture.commitSome(2)
            let place = fixture.points[1]
            func keep() async throws -> LocalTail {
                try await fixture.locked {
                    try TailKeeper.keep(fixture.request(fork: hasFork ? place : nil, recorded: place))
                }
            }
            let first = try await keep()
            // A checkpoint moves pages between the files, and changes nothing that counts.
            try fixture.database.checkpoint(.passive)
            #expect(try await keep() == first)
            try fixture.commitSome(1)
            let second = try await keep()
            #expect(second.manifest.id == first.manifest.id.next)
            #expect(try await keep() == second)
            #expect(try fixture.tails.ids() == [first.manifest.id, second.manifest.id])
            #expect(try fixture.tails.manifest(of: first.manifest.id) == first.manifest)
            // One that cannot be read is another one.
            try Data().write(to: URL(filePath: first.folder.appending("manifest.json").string))
            #expect(try await keep() == second)
        }
    }

    @Test("A local file that is damaged or missing in between is kept with the database itself")
    func damagedFiles() async throws {
        try await withTemporaryFolder { folder in
            let fixture = try TailFixture(folder)
            try fixture.commitSome(3)
            let fork = fixture.points[0]
            var damaged = try bytes(of: fixture.file(3))
            damaged[damaged.count / 2] ^= 1
            try Data(damaged).write(to: URL(filePath: fixture.file(3).string))
            let tail = try await fixture.locked { try TailKeeper.keep(fixture.request(fork: fork)) }
            #expect(tail.manifest.hasDatabase && tail.manifest.state.checksum == fixture.last.checksum)
            #expect(tail.manifest.files.map { $0.damage != nil }.prefix(3) == [false, true, false])
            #expect(try bytes(of: tail.folder.appending(tail.manifest.files[1].name)) == damaged)

            var request = fixture.request(fork: fork)
            request.files.remove(at: 1)
            let other = try await fixture.locked { try TailKeeper.keep(request) }
            #expect(other.manifest.hasDatabase && other.manifest.id == tail.manifest.id.next)
        }
    }

    @Test("What cannot be kept is said in words, and nothing is left behind")
    func failures() async throws {
        try await withTemporaryFolder { folder in
            let fixture = try TailFixture(folder)
            try fixture.commitSome(1)
            var request = fixture.request(fork: fixture.points[0])
            request.files.append(folder.appending("0000000000000009-0000000000000009.ltx"))
            let missing = #expect(throws: TailError.self) { try TailKeeper.keep(request) }
            #expect(missing?.code == .fileSystem && missing?.message.contains("0000000000000009") == true)
            request.files = [folder.appending("x")]
            #expect(throws: TailError.self) { try TailKeeper.keep(request) }
            request = fixture.request(fork: nil, recorded: fixture.points[0])
            request.database = folder.appending("none.db")
            let unread = #expect(throws: TailError.self) { try TailKeeper.keep(request) }
            #expect(unread?.code == .database && unread?.message.contains("none.db") == true)
            #expect(fileNames(in: fixture.tails.folder).isEmpty)
            try SQLiteFile(folder.appending("old.db")).execute("CREATE TABLE t(x)")
            request.database = folder.appending("old.db")
            let mode = #expect(throws: TailError.self) { try TailKeeper.keep(request) }
            #expect(mode?.message.contains("WAL") == true)
        }
    }
}
