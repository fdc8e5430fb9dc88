#if os(Linux)
    import Foundation
    import SystemPackage
    import TestSupport
    import Testing

    @testable import Replication

    @Suite(.timeLimit(.minutes(1))) struct ChangeNotifierTests {
        @Test("A log whose attributes change is not taken for one that is written to")
        func attributes() async throws {
            try await withTemporaryFolder { folder in
                let log = folder.appending("app.db-wal")
                try Data([1]).write(to: URL(fileURLWithPath: log.string))
                let notifier = try #require(ChangeNotifier())
                let writes = AsyncStream.makeStream(of: Void.self)
                let identities = AsyncStream.makeStream(of: Void.self)
                let write = try #require(notifier.watchWrites(to: log) { writes.continuation.yield() })
                let identity = try #require(notifier.watchIdentity(of: log) { identities.continuation.yield() })

                // As SQLite does with the owner, in a process of root that opens the database.
                try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: log.string)
                _ = await identities.stream.first { true }
                // The watch on writes fires once: it has not done so yet.
                let handle = try FileHandle(forWritingTo: URL(fileURLWithPath: log.string))
                try handle.write(contentsOf: [2])
                _ = await writes.stream.first { true }
                try handle.write(contentsOf: [3])
                try handle.close()

                try FileManager.default.removeItem(atPath: log.string)
                _ = await identities.stream.first { true }
                for watch in [write, identity] { notifier.remove(watch) }
            }
        }
    }
#endif
