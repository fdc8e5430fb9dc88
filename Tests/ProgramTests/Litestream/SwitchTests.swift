import SystemPackage
import TestDatabases
import TestSupport
import Testing

@Suite("Switching between this program and Litestream", .enabled(if: Litestream.isExpected), .timeLimit(.minutes(3)))
struct SwitchTests {
    /// One database and one replica, which both programs take turns to serve.
    private struct Turns {
        let folder: FilePath
        let application: Application
        let replica: ReplicaFolder

        init(in folder: FilePath) throws {
            self.folder = folder
            application = try Application(folder.appending("app.db"), rows: 300)
            replica = ReplicaFolder(folder.appending("replica"))
        }

        private var configuration: String { Ours.plainConfiguration(of: application.path, to: replica.url) }

        /// A turn of this program: it attaches, ships commits, and stops while `reader` of the next turn is open.
        ///
        /// - Parameter held: The reader that was open since before the last turn's end.
        func ours(_ held: SQLiteFile?) async throws -> SQLiteFile {
            let process = try Ours.replicate(configuration, in: folder)
            try await process.waitForOutput(containing: "msg=Attached")
            held?.close()
            for _ in 0..<5 { try application.write() }
            try await replica.waitForCommit(application.commits, of: process)
            let reader = try application.readerAboveZero()
            for _ in 0..<3 { try application.write() }
            try await process.stopShipped()
            try await check()
            return reader
        }

        /// A turn of Litestream.
        func litestream(_ held: SQLiteFile) async throws -> SQLiteFile {
            let process = try Litestream.replicate(configuration: configuration, in: folder)
            try await process.sync(application.path)
            held.close()
            for _ in 0..<5 { try application.write() }
            try await process.sync(application.path)
            let reader = try application.readerAboveZero()
            for _ in 0..<3 { try application.write() }
            try await process.sync(application.path)
            #expect(try await process.stop().isSuccess)
            try await check()
            return reader
        }

        /// What lies in the replica restores by both programs to what the application has.
        func check() async throws {
            try await withTemporaryFolder { folder in
                let restored = (ours: folder.appending("ours.db"), theirs: folder.appending("theirs.db"))
                try await Ours.restore(replica.url, to: restored.ours)
                try await Litestream.restore(replica.url, to: restored.theirs)
                let digest = try application.digest()
                #expect(try SQLiteFile.contentDigest(of: restored.ours) == digest)
                #expect(try SQLiteFile.contentDigest(of: restored.theirs) == digest)
            }
        }
    }

    @Test("From this program to Litestream and back, twice, needs no new whole copy and loses nothing")
    func backAndForth() async throws {
        try await withTemporaryFolder { folder in
            let turns = try Turns(in: folder)
            var reader = try await turns.ours(nil)
            var ends = [turns.replica.highest()]
            for _ in 0..<2 {
                try turns.application.write()  // While nobody replicates.
                reader = try await turns.litestream(reader)
                ends.append(turns.replica.highest())
                try turns.application.write()
                reader = try await turns.ours(reader)
                ends.append(turns.replica.highest())
            }
            reader.close()
            #expect(ends == ends.sorted() && Set(ends).count == ends.count, "every turn ships something: \(ends)")
            let names = turns.replica.names()
            #expect(try turns.replica.wholeCopies() == names.prefix(1).map(\.self), "turns ended at \(ends)")
        }
    }

    @Test("After Litestream was stopped and the WAL was begun anew, this program goes on with what has changed")
    func afterCheckpoint() async throws {
        try await withTemporaryFolder { folder in
            let turns = try Turns(in: folder)
            let first = try turns.application.readerAboveZero()
            let reader = try await turns.litestream(first)
            reader.close()
            try turns.application.connection.checkpoint(.truncate)
            for _ in 0..<3 { try turns.application.write() }
            try await turns.ours(nil).close()
        }
    }
}
