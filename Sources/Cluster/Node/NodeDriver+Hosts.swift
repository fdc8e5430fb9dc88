import Logging
import ObjectStorage
import Replication
import Synchronization

/// The cluster of two hosts with a store each: found, begun, and its stores told apart (failover-review G).
extension NodeDriver {
    /// Finds out of which cluster this node is, and begins one where that is due.
    ///
    /// - Returns: `nil` where the node was shut down before there was one.
    func findCluster(_ founding: TwoStoreFounding, _ identity: NodeIdentity) async throws -> FoundCluster? {
        while !isShuttingDown.load(ordering: .sequentiallyConsistent) {
            try Task.checkCancellation()
            do throws(NodeCommandError) {
                switch try await founding.find(identity) {
                case .present(let cluster, let unseen):
                    unseenStores = unseen
                    return FoundCluster(id: cluster)
                case .awaited(_, let name): wait(for: "node \(name), which begins a cluster")
                case .absent where configuration.beginning == .waits,
                    .unfinished where configuration.beginning == .waits:
                    wait(for: "a cluster: start the node that has the database, or run `cluster init` on its host")
                case .absent, .unfinished:
                    if let found = try await begin(founding, identity) { return found }
                }
            } catch {
                switch error.code {
                case .unfitStore: throw NodeError.unfitStore(error.message)
                case .needsOperator:
                    return FoundCluster(id: identity.cluster ?? Self.unknownCluster, trouble: error.message)
                default: wait(for: error.message)
                }
            }
            if let beginningError { throw beginningError }
            await inbox.wait(until: NodeClock.now + max(configuration.ttl / 10, .milliseconds(50)))
        }
        return nil
    }

    private func begin(
        _ founding: TwoStoreFounding,
        _ identity: NodeIdentity
    ) async throws(NodeCommandError) -> FoundCluster? {
        let founder = ClusterFounding.Founder(
            identity,
            name: configuration.name,
            url: configuration.url,
            ttl: configuration.ttl
        )
        let outcome = try await founding.found(by: founder) { highest in
            do { try await prepareDatabase(behind: highest) } catch {
                beginningError = error
                throw error
            }
        }
        switch outcome {
        case .founded(let lease):
            logger.notice(
                "Beginning a cluster",
                metadata: ["cluster": "\(lease.cluster)", "behind": "\(lease.begin)"]
            )
            return FoundCluster(id: lease.cluster)
        case .present(let lease): return FoundCluster(id: lease.cluster)
        }
    }

    /// Makes sure that a store which did not answer when this node started is the one it is taken for.
    ///
    /// - Returns: Whether it is; if not, the node halts.
    func recognizes(_ site: ChainSite) async -> Bool {
        guard unseenStores.contains(site), let identity, let founding = places.founding(configuration.name) else {
            return true
        }
        do throws(NodeCommandError) {
            guard case .present(_, let unseen) = try await founding.find(identity), !unseen.contains(site) else {
                return false
            }
            unseenStores = unseen
            return true
        } catch {
            if error.code == .needsOperator { inbox.post(.broken(error.message)) }
            return false
        }
    }
}
