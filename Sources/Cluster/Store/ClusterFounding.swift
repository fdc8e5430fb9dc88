package import ObjectStorage
package import Replication

/// Begins a cluster in a store: the first lease, free, for an ordinary claim of epoch 1 (failover-review N15).
package struct ClusterFounding: Sendable {
    /// Who begins it.
    package struct Founder: Hashable, Sendable {
        /// The node, which may claim the lease.
        package var node: NodeID
        /// Its name, for people.
        package var name: String
        /// Where it answers; empty if it does not.
        package var url: String
        /// The lease's time to live.
        package var ttl: Duration
        /// The cluster that the node has taken part in, if any.
        package var cluster: ClusterID?
        /// The newest epoch that it has won.
        package var won: Epoch

        /// Describes a node.
        package init(_ identity: NodeIdentity, name: String, url: String, ttl: Duration) {
            (node, cluster, won) = (identity.node, identity.cluster, identity.memory.won)
            (self.name, self.url, self.ttl) = (name, url, ttl)
        }
    }

    /// What came of it.
    package enum Outcome: Hashable, Sendable {
        /// This is the first lease.
        case founded(Lease)
        /// There was one already.
        case present(Lease)
    }

    /// The files.
    package let replica: Replica
    /// Where the lease lies: requests are sent once.
    package let leases: any ObjectStore
    /// Under which keys.
    package let layout: ClusterLayout

    /// Takes a place.
    package init(replica: Replica, leases: any ObjectStore, layout: ClusterLayout) {
        (self.replica, self.leases, self.layout) = (replica, leases, layout)
    }

    /// Begins the cluster, unless there is one.
    ///
    /// - Parameters:
    ///   - founder: The node.
    ///   - isAboutTo: Called before the lease is written, with the highest transaction of the replica: what must be
    ///     durable on this host by then.
    /// - Throws: ``NodeCommandError``: `unfitStore` where the store cannot fence, `needsOperator` where a cluster has been
    ///   there and its lease is gone, `failed` where the store does not answer.
    package func found(
        by founder: Founder,
        isAboutTo: (UInt64) async throws -> Void
    ) async throws(NodeCommandError) -> Outcome {
        if let lease = try await present() { return .present(lease) }
        try await checkThatNoneWasThere(founder)
        let body = try await firstLease(by: founder)
        do {
            try await isAboutTo(body.begin)
        } catch {
            throw NodeCommandError(.failed, "\(error)")
        }
        let answer = await lease.swap(body, condition: nil)
        switch answer.answer {
        case .swapped: return .founded(body)
        case .refused, .conflict, .unknown:
            // Another node was faster, or the answer was lost.
            guard let there = try await present() else {
                let words = answer.error?.message ?? "\(leases) took no lease."
                throw NodeCommandError(.failed, "\(words) Try again.")
            }
            return there.nonce == body.nonce ? .founded(there) : .present(there)
        }
    }

    private var lease: LeaseStore { LeaseStore(leases, layout: layout) }

    /// The lease that is there.
    private func present() async throws(NodeCommandError) -> Lease? {
        let read = await lease.read()
        switch read.reading {
        case .body(let lease, _): return lease
        case .absent: return nil
        case .unfit(let why): throw NodeCommandError(.needsOperator, why)
        case .failed: throw NodeCommandError(.failed, read.error?.message ?? "\(leases) does not answer.")
        }
    }

    /// A lease is never deleted: where one is missing there must be no trace of a cluster.
    private func checkThatNoneWasThere(_ founder: Founder) async throws(NodeCommandError) {
        let advice = "When no node writes any more: `cluster repair --recreate-lease`."
        if let cluster = founder.cluster {
            throw NodeCommandError(
                .needsOperator,
                "This node belongs to cluster \(cluster), and \(leases) has no lease of it at '\(layout.lease)': check "
                    + "bucket and path. \(advice)"
            )
        }
        let traces: [String]
        do throws(ObjectStoreError) {
            traces = try await leases.list(prefix: layout.prefix).map(\.key)
        } catch {
            throw NodeCommandError(.failed, error.message)
        }
        if traces.contains(layout.store) {
            throw NodeCommandError(
                .needsOperator,
                "\(leases) is the store of one of two hosts that have one each: name the other one as 'peer-store', and the "
                    + "'witness', or give this cluster a path of its own."
            )
        }
        if !traces.isEmpty {
            throw NodeCommandError(
                .needsOperator,
                "\(leases) has lost the lease of a cluster, '\(layout.lease)'. \(advice)"
            )
        }
    }

    private func firstLease(by founder: Founder) async throws(NodeCommandError) -> Lease {
        let chain = try await chain()
        guard chain.epoch == .zero else {
            throw NodeCommandError(
                .needsOperator,
                "\(leases) has files of epoch \(chain.epoch) of a cluster, and nothing else of it: give the new cluster a "
                    + "path of its own, or remove the old files."
            )
        }
        try await probe()
        return founder.freeLease(.random(), epoch: .zero, head: chain.end, begin: chain.end.number)
    }

    private func chain() async throws(NodeCommandError) -> ChainSurvey {
        let survey: ChainSurvey
        do throws(ReplicaError) {
            survey = try await ChainSurvey(of: replica)
        } catch {
            throw NodeCommandError(.failed, error.message)
        }
        if let damage = survey.damage { throw NodeCommandError(.failed, damage) }
        return survey
    }

    private func probe() async throws(NodeCommandError) {
        let verdict: StoreProbe.Verdict
        do throws(ObjectStoreError) {
            verdict = try await StoreProbe(leases, layout: layout).run()
        } catch {
            throw NodeCommandError(.failed, error.message)
        }
        guard case .unfit(let fact) = verdict else { return }
        throw NodeCommandError(.unfitStore, StoreProbe.Verdict.explanation(fact, store: "\(leases)"))
    }
}

extension ClusterFounding.Founder {
    /// A lease that nobody holds.
    ///
    /// - Parameter eligible: Who may claim it; `nil`: this node alone.
    func freeLease(
        _ cluster: ClusterID,
        epoch: Epoch,
        head: ChainPoint,
        begin: UInt64,
        continues: Lease.Continuation? = nil,
        eligible: [NodeID]? = nil
    ) -> Lease {
        Lease(
            cluster: cluster,
            epoch: epoch,
            session: .random(),
            node: node,
            name: name,
            state: .free,
            counter: 1,
            nonce: .random(),
            ttl: ttl,
            head: head,
            begin: begin,
            continues: continues,
            eligible: eligible ?? [node],
            url: url
        )
    }
}

extension HexadecimalID {
    /// A new one, not 0.
    static func random() -> Self { Self(rawValue: .random(in: 1 ... .max)) }
}
