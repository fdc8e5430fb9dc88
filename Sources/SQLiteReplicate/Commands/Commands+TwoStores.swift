public import Cluster
public import Logging
import Replication

extension Commands {
    /// Reads what both stores and the witness tell of a configuration's cluster.
    ///
    /// - Returns: `nil` where all its nodes share one store: see ``clusterStatus(_:logger:)``.
    /// - Throws: ``ConfigurationError``, `ObjectStoreError` for settings of the stores, `NodeCommandError` where this node's
    ///   own file cannot be read.
    public static func twoStoreStatus(
        _ configuration: ReplicationConfiguration,
        logger: Logger
    ) async throws -> TwoStoreSurvey? {
        let place = try NodePlace(configuration, logger: logger)
        guard let twoStores = place.twoStores else { return nil }
        let settings = place.settings
        let identity = try await onDisk {
            let file = NodeMemoryFile(try MetadataFolder(settings))
            do throws(NodeMemoryError) {
                return try file.peek()
            } catch {
                throw NodeCommandError(.failed, error.message)
            }
        }
        return await TwoStoreSurvey(of: twoStores, node: identity?.node, cluster: identity?.cluster)
    }
}
