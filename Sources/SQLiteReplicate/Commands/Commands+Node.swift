import CSQLite
public import Logging

extension Commands {
    /// Runs a node, or the same pieces without a cluster, until graceful shutdown.
    ///
    /// - Parameters:
    ///   - configuration: What runs.
    ///   - kind: What the process is started as.
    ///   - version: The program's version.
    ///   - logger: For what happens.
    /// - Throws: What ``NodeServices`` throws.
    public static func runNode(
        _ configuration: ReplicationConfiguration,
        as kind: NodeServices.Kind,
        version: String,
        logger: Logger
    ) async throws {
        // The process is ours: SQLite may as well be sparing with memory. Refused if it is in use already, which is fine.
        _ = csqlite_allocate_cache_pages_singly()
        let services = try NodeServices(configuration, as: kind, isInProcess: false, version: version, logger: logger)
        try await services.run()
    }
}
