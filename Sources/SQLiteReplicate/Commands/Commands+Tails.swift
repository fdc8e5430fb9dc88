public import Cluster
public import Logging
public import Replication
public import SystemPackage

/// What concerns tails: commits that only a fenced node held.
extension Commands {
    /// The tails of a configuration's cluster, those of the store and those of this host.
    ///
    /// - Throws: ``ConfigurationError`` where there is no cluster; `ObjectStoreError` for settings of the store.
    public static func tails(
        _ configuration: ReplicationConfiguration,
        logger: Logger
    ) throws -> (tails: TailStore, replica: Replica) {
        let place = try NodePlace(configuration, logger: logger)
        let metadata = place.settings.metadata ?? MetadataFolder.defaultPath(for: place.settings.database)
        let stores = place.stores
        return (
            TailStore(stores.replica.store, layout: stores.layout, local: LocalTails(metadata: metadata)),
            stores.replica
        )
    }

    /// Puts the files of a tail into a folder, and a database with its state, `tail.db`, beside them where it can be made.
    ///
    /// - Returns: What is known of the tail, and why there is no database.
    public static func exportTail(
        _ reference: TailReference,
        to folder: FilePath,
        _ configuration: ReplicationConfiguration,
        logger: Logger
    ) async throws -> (manifest: TailManifest, problem: String?) {
        let (tails, replica) = try tails(configuration, logger: logger)
        let manifest = try await tails.export(reference, to: folder)
        do {
            try await tails.database(reference, replica: replica, to: folder.appending("tail.db"))
            return (manifest, nil)
        } catch  where error.code == .notRestorable {
            return (manifest, error.message)
        }
    }
}
