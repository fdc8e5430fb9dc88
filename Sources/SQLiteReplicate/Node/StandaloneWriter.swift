import Logging
import ServiceLifecycle
import SystemPackage

/// The writer without a cluster: it makes the database where there is none.
struct StandaloneWriter: Service {
    let path: FilePath
    let interval: Duration
    let logger: Logger

    func run() async throws {
        let database = try await AppDatabase(at: path, creates: true)
        await EventWriter(database, interval: interval, logger: logger).run()
        try await database.close()
    }
}
