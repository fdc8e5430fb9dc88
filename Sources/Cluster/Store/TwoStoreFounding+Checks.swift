import NIOCore
import ObjectStorage
import Replication

/// What is made sure of before a store is written to for the first time, and before one changes hands.
extension TwoStoreFounding {
    /// Looks at both stores and at the witness.
    ///
    /// - Returns: The end of the own store's chain, behind which the history begins.
    func check(pageSize: Int?) async throws(NodeCommandError) -> ChainPoint {
        try await probe()
        try await checkThatTheyAreTwo()
        let chain = try await content(of: .own)
        let others = try await content(of: .peer)
        if let damage = chain.damage { throw NodeCommandError(.failed, damage) }
        if let size = pageSize ?? chain.pageSize, let other = others.pageSize, size != other {
            throw otherDatabase(pageSize: other, own: size)
        }
        try await checkWitness()
        return chain.end
    }

    private func checkWitness() async throws(NodeCommandError) {
        guard !isPaired else { return }
        let fact: String?
        do throws(ObjectStoreError) { fact = try await witness.unfitness() } catch { throw failure(error) }
        if let fact { throw unfitWitness(fact) }
        // It need not hold anything, but it must answer.
        _ = try await lease(of: .random())
    }

    private func probe() async throws(NodeCommandError) {
        async let mine = verdict(.own)
        async let others = verdict(.peer)
        let (own, peer) = await (mine, others)
        try refuse(own: try own.get(), peer: try peer.get())
    }

    private func verdict(_ site: ChainSite) async -> Result<String?, NodeCommandError> {
        do throws(ObjectStoreError) {
            let verdict = try await StoreProbe(place(site).leases, layout: place(site).layout).run()
            guard case .unfit(let fact) = verdict else { return .success(nil) }
            return .success(fact)
        } catch {
            return .failure(failure(site, error))
        }
    }

    private func refuse(own: String?, peer: String?) throws(NodeCommandError) {
        let facts = [(ChainSite.own, own), (.peer, peer)].compactMap { site, fact in fact.map { (site, $0) } }
        guard !facts.isEmpty else { return }
        throw unfit(facts)
    }

    /// A small object that is put into one store must not be seen in the other: one place may have two addresses.
    private func checkThatTheyAreTwo() async throws(NodeCommandError) {
        let nonce = Nonce.random()
        let (key, seen) = (own.layout.probe(nonce) + "here", peer.layout.probe(nonce) + "here")
        let result: Result<Bool, NodeCommandError>
        do throws(NodeCommandError) {
            try await put(key, .own)
            result = .success(try await exists(seen, .peer))
        } catch {
            result = .failure(error)
        }
        try? await own.leases.delete([key])  // what stays is a few bytes under a name that is never used again
        if try result.get() { throw error(.sameStore) }
    }

    private func put(_ key: String, _ site: ChainSite) async throws(NodeCommandError) {
        do throws(ObjectStoreError) {
            let body = ObjectBody.bytes(ByteBuffer(string: "probe"))
            try await place(site).leases.put(key, body, metadata: ObjectMetadata(), condition: .none)
        } catch {
            throw failure(site, error)
        }
    }

    private func exists(_ key: String, _ site: ChainSite) async throws(NodeCommandError) -> Bool {
        do throws(ObjectStoreError) {
            _ = try await place(site).leases.head(key)
            return true
        } catch {
            guard error.code == .notFound else { throw failure(site, error) }
            return false
        }
    }

    /// A store that is to be begun in may hold transaction files, and nothing of a cluster.
    private func content(of site: ChainSite) async throws(NodeCommandError) -> ChainSurvey {
        let place = place(site)
        if let trace = try await traces(in: site).first { throw otherCluster(place, trace) }
        let survey: ChainSurvey
        do throws(ReplicaError) {
            survey = try await ChainSurvey(of: place.replica)
        } catch {
            throw NodeCommandError(.failed, error.message)
        }
        guard survey.epoch == .zero else { throw usedChain(place, survey.epoch) }
        return survey
    }

    /// What else of a cluster lies in a store.
    private func traces(in site: ChainSite) async throws(NodeCommandError) -> [String] {
        let place = place(site)
        do throws(ObjectStoreError) {
            // An earlier try may have put a cell there, which says of which cluster it is.
            return try await place.leases.list(prefix: place.layout.prefix).map(\.key)
                .filter { $0 != place.layout.store && !(isPaired && $0 == place.layout.lease) }
        } catch {
            throw failure(site, error)
        }
    }

    /// An own store without a record, of a node that comes to a cluster, or comes back: it must be able to fence, and be
    /// nobody else's.
    func checkNewStore(isMember: Bool) async throws(NodeCommandError) {
        try refuse(own: try await verdict(.own).get(), peer: nil)
        if isMember { return try await checkThatNoLeaseIsIn(.own) }
        if let trace = try await traces(in: .own).first { throw otherCluster(own, trace) }
    }

    /// Stores that share one lease hold it.
    func checkThatNoLeaseIsIn(_ site: ChainSite) async throws(NodeCommandError) {
        let place = place(site)
        guard !isPaired, try await exists(place.layout.lease, site) else { return }
        throw otherCluster(place, place.layout.lease)
    }

    // MARK: - The host before

    /// A node that has lost its metadata folder is a new one, and takes the place of the old one, once that is silent; where
    /// two hosts name each other's stores the other one is not.
    func checkThatIsGone(_ host: NodeID, of cluster: ClusterID, _ look: Look) async throws(NodeCommandError) {
        if look.peer.sight == .unseen { throw silence(.peer, look) }
        // One that has just come has not written its own record yet.
        let signs = [
            (ChainSite.own, own.layout.record(of: host)), (.peer, peer.layout.record(of: host)),
            (.own, own.layout.store),
        ]
        for (site, key) in signs {
            guard let age = try await age(of: key, site), age < Self.absence else { continue }
            throw otherHost(host, look.own.sight.record?.name ?? "", "has written \(age.components.seconds) s ago")
        }
        guard let lease = try await lease(of: cluster), lease.node == host, lease.state == .held else { return }
        do {
            try await Pause.sleep(for: min(lease.ttl / 2, .seconds(60)))
        } catch {
            throw NodeCommandError(.failed, "Cancelled before anything was changed.")
        }
        guard let now = try await self.lease(of: cluster), now.nonce != lease.nonce, now.node == host else { return }
        throw otherHost(host, lease.name, "holds the lease and renews it")
    }

    /// How long ago an object was written, by the store's own clock; `nil` where it is not there.
    private func age(of key: String, _ site: ChainSite) async throws(NodeCommandError) -> Duration? {
        let place = place(site)
        let clock = place.layout.probe(.random()) + "clock"
        let result: Result<Duration?, ObjectStoreError>
        do throws(ObjectStoreError) {
            let written = try await place.leases.head(key).modified
            let body = ObjectBody.bytes(ByteBuffer(string: "probe"))
            try await place.leases.put(clock, body, metadata: ObjectMetadata(), condition: .none)
            let now = try await place.leases.head(clock).modified
            result = .success(.milliseconds(max(0, now.rawValue - written.rawValue)))
        } catch {
            result = error.code == .notFound ? .success(nil) : .failure(error)
        }
        try? await place.leases.delete([clock])  // as above
        do throws(ObjectStoreError) { return try result.get() } catch { throw failure(site, error) }
    }
}
