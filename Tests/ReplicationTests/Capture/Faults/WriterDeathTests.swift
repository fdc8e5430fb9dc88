import Foundation
import Replication
import SystemPackage
import TestDatabases
import TestSupport
import Testing

/// A writer of another process dies in the midst of a commit while the engine is attached (capture-review F).
@Suite("Fault: writer killed", .serialized) struct WriterDeathTests {
    /// Where the writer dies.
    enum Death: String, CaseIterable, Sendable {
        /// Many frames are in the log, none of them a commit.
        case beforeCommitFrame = "before the commit frame"
        /// The commit is in the log, and the wal-index does not tell of it.
        case afterCommitFrame = "after the commit frame"
        /// The wal-index tells of it in one of its header's copies.
        case betweenHeaders = "between the two copies of the header"
    }

    @Test("What it did not commit is never shipped, and what others recover is followed", arguments: Death.allCases)
    func death(_ death: Death) async throws {
        try await withTemporaryFolder("death") { folder in
            let path = folder.appending("app.db")
            let application = try SQLiteFile.makeDatabase(path, pageSize: 4096, rows: 60)
            try application.execute("CREATE TABLE death(x)")
            let session = CaptureSession(path, checksEachMark: true)
            try await session.engine.attach()
            try await session.check()
            for round in 0..<3 {
                try application.write()
                let result = try await ChildProcess.run("python3", ["-c", Self.script, path.string, "\(death)"])
                #expect(result.exit.status == .signal(SIGKILL), "\(result.standardError)")
                try await session.check("\(death.rawValue), round \(round), dead")
                #expect(try application.integer("SELECT count(*) FROM death") == 0)
                try application.write(rows: 3)
                try await session.check("\(death.rawValue), round \(round), gone on")
            }
            #expect(session.events.copies.count == 1, "\(session.events.unexpected)")
            application.close()
            await session.engine.abandon()
        }
    }

    /// Dies as the second argument says. What SQLite would have written is written by hand where it cannot be stopped:
    /// a frame of page 1 with another user version and a commit flag, and the second copy of the wal-index's header.
    private static let script = """
        import os, signal, sqlite3, struct, sys, time
        path, death = sys.argv[1:]
        def die(): os.kill(os.getpid(), signal.SIGKILL)
        c = sqlite3.connect(path, isolation_level=None, timeout=10)
        c.execute("pragma cache_size=4"); c.execute("pragma cache_spill=4")
        c.execute("begin immediate")
        if death == "beforeCommitFrame":
            c.executemany("insert into death values(?)", ((os.urandom(3000),) for _ in range(400)))
            die()
        shm = open(path + "-shm", "r+b")
        header = shm.read(96)
        if death == "afterCommitFrame":
            order = "<" if sys.byteorder == "little" else ">"
            mx_frame, pages = struct.unpack(order + "II", header[16:24])
            wal = open(path + "-wal", "r+b")
            magic, _, size = struct.unpack(">III", wal.read(12))
            wal.seek(16)
            salts = wal.read(8)
            words = ">" if magic & 1 else "<"
            at = 32 + mx_frame * (24 + size)
            if mx_frame:
                wal.seek(at - size - 8)
                s0, s1 = struct.unpack(">II", wal.read(8))
                page = None
                for frame in range(mx_frame, 0, -1):
                    wal.seek(32 + (frame - 1) * (24 + size))
                    if struct.unpack(">I", wal.read(4))[0] == 1:
                        wal.seek(20, 1)
                        page = wal.read(size)
                        break
            else:
                wal.seek(24)
                s0, s1 = struct.unpack(">II", wal.read(8))
                page = None
            if page is None:
                page = os.pread(os.open(path, os.O_RDONLY), size, 0)
            page = page[:60] + struct.pack(">I", 777) + page[64:]
            head = struct.pack(">II", 1, pages)
            data = head + page
            for x0, x1 in struct.iter_unpack(words + "II", data):
                s0 = (s0 + x0 + s1) & 0xffffffff
                s1 = (s1 + x1 + s0) & 0xffffffff
            wal.seek(at)
            wal.write(head + salts + struct.pack(">II", s0, s1) + page)
            wal.flush()
            die()
        changed = bytearray(header[48:96])
        changed[8] ^= 1
        os.pwrite(shm.fileno(), bytes(changed), 48)
        die()
        """
}
