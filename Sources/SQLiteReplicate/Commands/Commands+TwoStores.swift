public import Cluster
public import Logging
import Replication

extension Commands {
    /// What both stores and the witness tell of a configuration's cluster, and what is to be done.
    public struct TwoStoreStatus: Sendable {
        /// What the stores tell.
        public let survey: TwoStoreSurvey
        /// What an operator has to do, and what to type; `nil` where nothing is to be done.
        public let advice: String?
    }

    /// Reads what both stores and the witness tell of a configuration's cluster. Without a witness it asks the node that has
    /// the right to write as well, for its health.
    ///
    /// - Returns: `nil` where all its nodes share one store: see ``clusterStatus(_:logger:)``.
    /// - Throws: ``ConfigurationError``, `ObjectStoreError` for settings of the stores, `NodeCommandError` where this node's
    ///   own file cannot be read.
    public static func twoStoreStatus(
        _ configuration: ReplicationConfiguration,
        logger: Logger
    ) async throws -> TwoStoreStatus? {
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
        let survey = await TwoStoreSurvey(of: twoStores, node: identity?.node, cluster: identity?.cluster)
        let isUp = await isUp(survey.holder, node: identity?.node, place.cluster)
        let need = survey.need(of: identity?.node, isHolderUp: isUp)
        let words = need.map { [$0.sentence, $0.command].compactMap(\.self).joined(separator: " ") }
        return TwoStoreStatus(survey: survey, advice: survey.advice ?? words)
    }

    /// Whether a node writes, or is about to; `nil` where this host cannot know.
    private static func isUp(
        _ holder: (node: NodeID, url: String)?,
        node: NodeID?,
        _ cluster: ClusterConfiguration
    ) async -> Bool? {
        guard let holder else { return nil }
        let isOwn = holder.node == node
        let url = isOwn ? cluster.localURL : holder.url
        // What another node calls its own address is one of this host's, where that is the loopback.
        guard !url.isEmpty, isOwn || url != cluster.localURL else { return nil }
        do throws(NodeClientError) {
            let status = try await NodeClient(token: cluster.token).status(of: url, within: .seconds(5))
            // Another node there has taken its place.
            guard status.node == "\(holder.node)", let role = status.role.flatMap(Role.init(rawValue:)) else {
                return false
            }
            // One that was started again takes its right up where it finds that.
            return role.isHolding ? true : role == .halted ? false : nil
        } catch {
            return error.code == .unreachable || error.code == .timedOut ? false : nil
        }
    }
}
