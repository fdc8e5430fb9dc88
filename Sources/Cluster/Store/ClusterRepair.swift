import NIOCore
import ObjectStorage
import Replication

/// An operator's ways out of ``Role/halted``: each changes the lease, and nothing else.
///
/// They are for clusters in which no node writes any more. A lease that is renewed while they look is left alone; beyond
/// that, that nobody writes is the operator's word.
package struct ClusterRepair: Sendable {
    /// The place.
    package let place: ClusterFounding
    /// The node on whose host this runs; `nil` where none is.
    package let node: ClusterFounding.Founder?
    /// How long it watches whether a lease that is held is renewed; at most.
    private static let longestWatch = Duration.seconds(60)

    /// Takes a place, and the node on whose host this runs.
    package init(_ place: ClusterFounding, by node: ClusterFounding.Founder?) {
        (self.place, self.node) = (place, node)
    }

    private var store: any ObjectStore { place.leases }
    private var key: String { place.layout.lease }

    /// Takes over files that another program has written: those up to the newest one count as part of the chain.
    ///
    /// - Returns: The new lease; `nil` where nothing is there to be taken over.
    package func adopt() async throws(NodeCommandError) -> Lease? {
        guard let found = try await readable() else {
            throw NodeCommandError(.needsOperator, "There is no lease at '\(key)' in \(store): `cluster status`.")
        }
        try await checkThatNobodyWrites(found.lease)
        let chain = try await chain()
        guard chain.end.number > found.lease.begin else { return nil }
        var lease = found.lease
        lease.begin = chain.end.number
        lease.counter += lease.counter == .max ? 0 : 1
        lease.nonce = .random()
        return try await write(lease, over: found.version)
    }

    /// Writes a new lease where the old one is gone, or was overwritten by something else.
    package func recreateLease() async throws(NodeCommandError) -> Lease {
        let found = try await look()
        if case .body(let lease) = found.lease {
            throw NodeCommandError(
                .refused,
                "The lease is there: epoch \(lease.epoch), \(lease.state.rawValue), last written by \(lease.name)."
            )
        }
        let (founder, cluster) = try member()
        let survey = try await survey()
        let chain = try await chain()
        // What was there when the cluster began: what its first epoch continued.
        let first = survey.epochs.last?.record
        let lease = Lease(
            cluster: cluster,
            epoch: max(survey.highestEpoch, chain.epoch, founder.won).next,
            session: .random(),
            node: founder.node,
            name: founder.name,
            state: .free,
            counter: 1,
            nonce: .random(),
            ttl: founder.ttl,
            head: chain.end,
            begin: first.map { $0.epoch == Epoch(rawValue: 1) ? $0.parent.number : chain.end.number }
                ?? chain.end.number,
            eligible: Set(survey.nodes.map(\.record.node) + [founder.node]).sorted(),
            url: founder.url
        )
        return try await write(lease, over: found.version)
    }

    /// After a store went back in time: this node's database is what the chain goes on from, and it alone may claim.
    package func reseed() async throws(NodeCommandError) -> Lease {
        let found = try await readable()
        if let found { try await checkThatNobodyWrites(found.lease) }
        let (founder, cluster) = try member()
        if let other = found?.lease.cluster, other != cluster {
            throw NodeCommandError(.refused, "The lease is of cluster \(other), this node belongs to \(cluster).")
        }
        let survey = try await survey()
        let chain = try await chain()
        let lease = Lease(
            cluster: cluster,
            epoch: max(survey.highestEpoch, chain.epoch, founder.won, found?.lease.epoch ?? .zero).next,
            session: .random(),
            node: founder.node,
            name: founder.name,
            state: .free,
            counter: 1,
            nonce: .random(),
            ttl: founder.ttl,
            head: chain.end,
            begin: chain.end.number,
            eligible: [founder.node],
            url: founder.url
        )
        return try await write(lease, over: found?.version)
    }

    // MARK: - Steps

    private func member() throws(NodeCommandError) -> (ClusterFounding.Founder, ClusterID) {
        guard let node, let cluster = node.cluster else {
            throw NodeCommandError(
                .refused,
                "This host's node has not taken part in a cluster yet: run this on the host of one that has."
            )
        }
        return (node, cluster)
    }

    /// What lies where the lease should, and its version.
    private func look() async throws(NodeCommandError) -> (lease: ClusterSurvey.LeaseFinding, version: LeaseVersion?) {
        let (bytes, version): (ByteBuffer, ObjectVersion?)
        do throws(ObjectStoreError) {
            (bytes, version) = try await store.getVersioned(key)
        } catch {
            guard error.code == .notFound else { throw NodeCommandError(.failed, error.message) }
            return (.absent, nil)
        }
        guard let version else {
            let words = StoreProbe.Verdict.explanation("it gives no versions", store: "\(store)")
            throw NodeCommandError(.unfitStore, words)
        }
        let leaseVersion = LeaseVersion(rawValue: version.rawValue)
        do throws(ClusterObjectError) {
            return (.body(try Lease(parsing: bytes.readableBytesView)), leaseVersion)
        } catch {
            return (.unfit(error.message), leaseVersion)
        }
    }

    /// The lease, and its version; `nil` where there is none.
    private func readable() async throws(NodeCommandError) -> (lease: Lease, version: LeaseVersion)? {
        let found = try await look()
        switch (found.lease, found.version) {
        case (.body(let lease), let version?): return (lease, version)
        case (.unfit(let why), _):
            let advice = "When no node writes any more: `cluster repair --recreate-lease`."
            throw NodeCommandError(.needsOperator, "'\(key)' in \(store): \(why) \(advice)")
        default: return nil
        }
    }

    /// A holder renews three times in a time to live: half of one shows whether it lives.
    private func checkThatNobodyWrites(_ lease: Lease) async throws(NodeCommandError) {
        guard lease.state == .held else { return }
        do {
            try await Pause.sleep(for: min(lease.ttl / 2, Self.longestWatch))
        } catch {
            throw NodeCommandError(.failed, "Cancelled before anything was changed.")
        }
        guard let now = try await readable(), now.lease.nonce == lease.nonce else {
            throw NodeCommandError(
                .refused,
                "Node \(lease.name) holds the lease and renews it: nothing was changed. Stop all nodes first."
            )
        }
    }

    private func chain() async throws(NodeCommandError) -> ChainSurvey {
        do throws(ReplicaError) {
            return try await ChainSurvey(of: place.replica)
        } catch {
            throw NodeCommandError(.failed, error.message)
        }
    }

    private func survey() async throws(NodeCommandError) -> ClusterSurvey {
        do throws(ObjectStoreError) {
            return try await ClusterSurvey(of: store, layout: place.layout, epochLimit: .max)
        } catch {
            throw NodeCommandError(.failed, error.message)
        }
    }

    private func write(_ lease: Lease, over version: LeaseVersion?) async throws(NodeCommandError) -> Lease {
        let answer = await LeaseStore(store, layout: place.layout).swap(lease, condition: version)
        switch answer.answer {
        case .swapped: return lease
        case .refused, .conflict:
            throw NodeCommandError(.refused, "The lease was changed meanwhile: stop all nodes, look, and try again.")
        case .unknown:
            if let there = try await readable(), there.lease.nonce == lease.nonce { return lease }
            let words = answer.error?.message ?? "\(store) did not answer."
            throw NodeCommandError(.failed, "\(words) Try again.")
        }
    }
}
