import NIOCore
import ObjectStorage
import Replication

/// An operator's ways out of ``Role/halted``: each changes the lease, and nothing else in the store.
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

    var store: any ObjectStore { place.leases }
    var key: String { place.layout.lease }

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
        var begin = first.map { $0.epoch == Epoch(rawValue: 1) ? $0.parent.number : 0 } ?? 0
        if let foreign = chain.foreign, foreign < chain.end.number, chain.end.checksum != 0 {
            // Files of the cluster lie behind it: it was adopted.
            begin = max(begin, foreign)
        }
        let lease = founder.freeLease(
            cluster,
            epoch: max(survey.highestEpoch, chain.epoch, founder.won).next,
            head: chain.end,
            begin: begin,
            eligible: Set(survey.nodes.map(\.record.node) + [founder.node]).sorted()
        )
        return try await write(lease, over: found.version)
    }

    // MARK: - Steps

    func member() throws(NodeCommandError) -> (ClusterFounding.Founder, ClusterID) {
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
    func readable() async throws(NodeCommandError) -> (lease: Lease, version: LeaseVersion)? {
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
    func checkThatNobodyWrites(_ lease: Lease) async throws(NodeCommandError) {
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

    func chain(depth: Int = ChainSurvey.depth) async throws(NodeCommandError) -> ChainSurvey {
        do throws(ReplicaError) {
            return try await ChainSurvey(of: place.replica, depth: depth)
        } catch {
            throw NodeCommandError(.failed, error.message)
        }
    }

    func survey() async throws(NodeCommandError) -> ClusterSurvey {
        do throws(ObjectStoreError) {
            return try await ClusterSurvey(of: store, layout: place.layout, epochLimit: .max)
        } catch {
            throw NodeCommandError(.failed, error.message)
        }
    }

    func write(_ lease: Lease, over version: LeaseVersion?) async throws(NodeCommandError) -> Lease {
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
