import Foundation
import Replication
import SystemPackage
import TestDatabases
import TestSupport
import Testing

/// Disks that take no bytes and still make files, as full ones do, with the engine in a process of its own.
@Suite("Requirements: full disks", .timeLimit(.minutes(3))) struct FullDiskTests {
    private func run(
        _ options: [String],
        _ body: (HostSession, SQLiteFile, FaultShim, FilePath) async throws -> Void
    ) async throws {
        try await withTemporaryFolder("full") { folder in
            let shim = try await FaultShim(in: folder)
            let session = HostSession(folder.appending("app.db"))
            let application = try SQLiteFile.makeDatabase(session.database, pageSize: 4096, rows: 40)
            try await session.start(options, environment: shim.environment)
            try await session.check()
            try await body(session, application, shim, MetadataFolder.defaultPath(for: session.database))
            try await session.check("after the fault")
            application.close()
            try await session.end()
        }
    }

    private static func noRoom(in folder: FilePath) -> FaultShim.Rule {
        .init(.error("ENOSPC"), count: 0, calls: ["write", "pwrite", "writev", "pwritev"], pathPrefixes: [folder])
    }

    @Test("R-62 A large capture that could not be written, and then not again, is written once there is room")
    func largeCapture() async throws {
        try await run(["known=1", "interval-ms=20"]) { session, application, shim, metadata in
            try shim.set([Self.noRoom(in: metadata)])
            try application.write(rows: 60, bytes: 20_000)
            try await session.wait(for: "failed ")
            // The first attempt was aside; these are those after it.
            try await eventually("it is tried again", within: .seconds(20)) { try shim.counts()[0].injected > 3 }
            let closed = session.lines.count { $0.hasPrefix("closed ") }
            try shim.set([])
            try await eventually("it is written, though nothing more is committed", within: .seconds(10)) {
                session.lines.count { $0.hasPrefix("closed ") } > closed
            }
        }
    }

    @Test("R-62 Where spilled pages find no room a long log is given up for a difference")
    func spilledPages() async throws {
        let options = ["soft=60", "known=1", "interval-ms=20", "limit=1048576"]
        try await run(options) { session, application, shim, metadata in
            try shim.set([Self.noRoom(in: metadata)])
            for _ in 0..<6 { try application.write(rows: 60, bytes: 20_000) }
            try await session.wait(for: "failed ")
            try await Task.sleep(for: .milliseconds(500))
            try shim.set([])
            try await session.wait(for: "copy-began difference")
        }
    }
}
