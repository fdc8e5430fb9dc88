import Replication
import Synchronization
import SystemPackage
import TestDatabases
import TestSupport
import Testing

/// A rule of the protocol left out is noticed: each scenario goes well with all rules, and not without one.
@Suite("Fault variants of the protocol") struct ProtocolVariantTests {
    /// Plays a scenario; returns what was noticed, or `nil` if all was well.
    private func notice(
        _ variant: ProtocolVariant?,
        _ scenario: (CaptureSession, Hook, SQLiteFile) async throws -> Void
    ) async throws -> String? {
        try await withTemporaryFolder("variant") { folder in
            let path = folder.appending("app.db")
            let application = try SQLiteFile.makeDatabase(path)
            let hook = Hook()
            let session = CaptureSession(path) { settings in
                settings.variant = variant
                settings.softLimitFrames = 30
                settings.faultPoint = hook.reached
            }
            try await session.engine.attach()
            try await session.check()
            do {
                try await scenario(session, hook, application)
                hook.set(nil)
                try await session.check()
            } catch {
                await session.engine.abandon()
                return "\(error)"
            }
            await session.engine.abandon()
            return session.events.unexpected.first
        }
    }

    private func expectNoticed(
        _ variant: ProtocolVariant,
        _ scenario: (CaptureSession, Hook, SQLiteFile) async throws -> Void
    ) async throws {
        #expect(try await notice(nil, scenario) == nil, "the scenario goes well with all rules")
        let noticed = try await notice(variant, scenario)
        #expect(noticed != nil, "\(variant.rawValue) was not noticed")
        print("variant \(variant.rawValue): \(noticed?.prefix(200) ?? "")")
    }

    /// Commits on a connection of its own.
    private static func commit(_ path: FilePath, truncating: Bool = false) {
        do {
            let connection = try SQLiteFile(
                path,
                .init(creates: false, busyTimeout: .milliseconds(100), autocheckpoint: 0)
            )
            defer { connection.close() }
            try connection.write(bytes: 700)
            guard truncating else { return }
            do { try connection.checkpoint(.truncate) } catch { guard error.isBusy else { throw error } }
            try connection.write(bytes: 700)
        } catch {
            // The write lock was taken: another passing will do.
        }
    }

    @Test("A reader that ends before the next one begins is noticed")
    func endBeforeBegin() async throws {
        try await expectNoticed(.endBeforeBegin) { session, hook, application in
            let path = session.database
            hook.set { if $0 == .noReader { Self.commit(path, truncating: true) } }
            for _ in 0..<10 {
                try application.write()
                try await Task.sleep(for: .milliseconds(30))
            }
        }
    }

    @Test("A move that does not capture before the last reader ends is noticed")
    func noCaptureBetween() async throws {
        try await expectNoticed(.noCaptureBetween) { session, hook, application in
            let path = session.database
            hook.set { if $0 == .afterPassive || $0 == .gateReleased { Self.commit(path) } }
            for _ in 0..<6 {
                try application.write(rows: 40)
                try await Task.sleep(for: .milliseconds(30))
            }
        }
    }

    @Test("Expecting every restart of the WAL to add one to its salt is noticed")
    func saltPlusOne() async throws {
        try await expectNoticed(.saltPlusOne) { session, _, application in
            for _ in 0..<4 {
                try application.write()
                try await Task.sleep(for: .milliseconds(120))
                for _ in 0..<3 { try application.checkpoint(.truncate) }
            }
            try application.write()
        }
    }

    @Test("Taking the next salt for proof after the engine's death is noticed")
    func saltPlusOneAfterDeath() async throws {
        try await expectNoticed(.saltPlusOneAfterDeath) { session, _, application in
            let reader = try SQLiteFile(session.database, .init(creates: false))
            try application.write(rows: 30)
            try reader.execute("BEGIN; SELECT count(*) FROM item")
            try await session.flush()
            await session.engine.abandon()
            for _ in 0..<50 { try application.execute("UPDATE item SET body = randomblob(200) WHERE id = 7") }
            try application.execute("UPDATE item SET owner = owner + 1")
            reader.close()
            #expect(try application.checkpoint(.passive).isBusy == false)
            try application.write()
            session.restart()
            try await session.engine.attach()
        }
    }

    @Test("Accepting a restart of the WAL while attaching is noticed")
    func attachTrustsRestart() async throws {
        try await expectNoticed(.attachTrustsRestart) { session, hook, application in
            let reader = try SQLiteFile(session.database, .init(creates: false))
            try application.write()
            try reader.execute("BEGIN; SELECT count(*) FROM item")
            try await session.flush()
            await session.engine.abandon()
            // A page that is not written again when the log begins anew.
            try application.execute("CREATE TABLE other(x); INSERT INTO other VALUES (1)")
            reader.close()
            #expect(try application.checkpoint(.passive).isBusy == false)
            let path = session.database
            hook.once(.continuityJudged) { Self.commit(path) }
            session.restart()
            try await session.engine.attach()
        }
    }
}
