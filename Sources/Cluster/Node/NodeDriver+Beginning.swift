import LTX
import Logging
import ObjectStorage
import Replication
import Synchronization
import SystemPackage

extension NodeDriver {
    /// Finds out which node this is and of which cluster, begins one where that is due, and makes the core.
    ///
    /// The core stays `nil` where the node was shut down before there was a cluster.
    func prepare() async throws {
        let file = NodeMemoryFile(try await database.folder())
        memoryFile = file
        // Two processes of one node would take each other's lease for that of a dead session.
        processLock = try await onDisk { try file.lock() }
        let (identity, origin) = try await onDisk { try file.load() }
        if case .copied(let node) = origin {
            logger.notice("The metadata was copied from another node", metadata: ["from": "\(node)"])
        }
        self.identity = identity
        let folder = try await database.folder()
        let chains = NodeChains(places, folder: folder)
        self.chains = chains
        let chain = chains.own
        let founding = places.founding(configuration.name)
        let found: FoundCluster?
        if let founding {
            found = try await findCluster(founding, identity)
        } else {
            found = try await findCluster(chain, identity)
        }
        guard let cluster = found else { return }
        if founding != nil { leases = places.lease(of: cluster.id) }
        // Where the lease cannot be read nobody knows which cluster this is.
        if identity.cluster == nil, cluster.id != Self.unknownCluster {
            self.identity?.cluster = cluster.id
            if let new = self.identity { try await onDisk { try file.save(new) } }
        }
        makeCore(cluster.id, newestEpoch: Epoch(rawValue: try await database.recordedState()?.epoch ?? 0))
        if places.topology == .paired {
            logger.notice("There is no witness: nobody takes over before a person says that the other host is down")
        }
        if let words = cluster.trouble { inbox.post(.broken(words)) }
        if let found = try? await chains.others.nodeRecords() { note(found) }
    }

    private func makeCore(_ cluster: ClusterID, newestEpoch: Epoch) {
        guard let identity else { return }
        var settings = NodeSettings(
            node: identity.node,
            name: configuration.name,
            cluster: cluster,
            url: configuration.url,
            boot: BootID.current,
            timing: LeaseTiming(ttl: configuration.ttl, poll: configuration.poll)
        )
        settings.followInterval = configuration.followInterval
        (settings.handoff, settings.drain) = (configuration.handoff, configuration.drain)
        (settings.holdDownLimit, settings.holdDownWindow) = (configuration.holdDownLimit, configuration.holdDownWindow)
        settings.registration = configuration.registration
        settings.absence = max(settings.absence, configuration.registration * 5)
        settings.isFailsafe = configuration.isFailsafe
        settings.longestCatchUp = configuration.maxCatchUp
        (settings.topology, settings.isUnsafelyPromoted) = (places.topology, configuration.isUnsafelyPromoted)
        core = NodeCore(
            settings,
            memory: identity.memory,
            newestEpoch: newestEpoch,
            seed: .random(in: .min ... .max),
            now: NodeClock.now
        )
    }

    // MARK: - The cluster

    static let unknownCluster = ClusterID(rawValue: 0)

    /// The cluster that this node is of.
    struct FoundCluster {
        var id: ClusterID
        /// Why the node can do nothing; `nil` where it can.
        var trouble: String?
    }

    private func findCluster(_ chain: ChainStore, _ identity: NodeIdentity) async throws -> FoundCluster? {
        while !isShuttingDown.load(ordering: .sequentiallyConsistent) {
            try Task.checkCancellation()
            let limit = max(configuration.ttl, .seconds(5))
            let leases = leases
            let (reading, error) = await withTimeLimit(limit, late: (.failed, nil)) { await leases.read() }
            switch reading {
            case .body(let lease, _): return FoundCluster(id: identity.cluster ?? lease.cluster)
            case .unfit(let words): return FoundCluster(id: identity.cluster ?? Self.unknownCluster, trouble: words)
            case .failed: wait(for: "the store, which does not answer: \(error?.message ?? "no answer in time")")
            case .absent:
                if let found = try await beginOrWait(chain, identity) { return found }
            }
            await inbox.wait(until: NodeClock.now + max(configuration.ttl / 10, .milliseconds(50)))
        }
        return nil
    }

    func wait(for what: String) {
        if waitingFor != what { logger.info("Waiting", metadata: ["for": "\(what)"]) }
        waitingFor = what
    }

    private func beginOrWait(_ chain: ChainStore, _ identity: NodeIdentity) async throws -> FoundCluster? {
        let objects: [ObjectInfo]
        do { objects = try await own.replica.store.list(prefix: own.layout.prefix) } catch {
            wait(for: "the store, which does not answer: \(error.message)")
            return nil
        }
        if identity.cluster != nil || !objects.isEmpty {
            // What was listed may be of a cluster that began just now, behind the look at the lease.
            switch await withTimeLimit(configuration.ttl, late: (.failed, nil), { [leases] in await leases.read() }).0 {
            case .absent: break
            default: return nil
            }
            let words =
                "The lease is gone from \(own), where a cluster was. When no node writes any more: "
                + "`cluster repair --recreate-lease`."
            return FoundCluster(id: identity.cluster ?? Self.unknownCluster, trouble: words)
        }
        guard configuration.beginning == .begins else {
            // Where it has followed it was shut down, and the loop that asked ends.
            _ = try await followOrWait(chain)
            return nil
        }
        return try await begin(identity)
    }

    /// Begins a cluster: a lease that this node alone may claim (N15).
    private func begin(_ identity: NodeIdentity) async throws -> FoundCluster? {
        let place = ClusterFounding(replica: own.replica, leases: own.leases, layout: own.layout)
        let founder = ClusterFounding.Founder(
            identity,
            name: configuration.name,
            url: configuration.url,
            ttl: configuration.ttl
        )
        var obstacle: (any Error)?
        do throws(NodeCommandError) {
            let outcome = try await place.found(by: founder) { highest in
                do { try await prepareDatabase(behind: highest) } catch {
                    obstacle = error
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
        } catch {
            if let obstacle { throw obstacle }
            switch error.code {
            case .unfitStore: throw NodeError.unfitStore(error.message)
            case .needsOperator: return FoundCluster(id: Self.unknownCluster, trouble: error.message)
            default: wait(for: "the store: \(error.message)")
            }
            return nil
        }
    }

    /// Makes the database where that is wanted, and notes that the cluster begins with it, durably.
    func prepareDatabase(behind highest: UInt64) async throws {
        if await !database.exists {
            guard highest == 0 else {
                throw NodeError.noDatabase(
                    "\(database.path) (while \(own) holds a replica: restore it first)"
                )
            }
            guard let makesDatabase = configuration.makesDatabase else {
                throw NodeError.noDatabase(database.path.string)
            }
            try await makesDatabase()
        }
        try await database.found(behind: highest)
    }

    // MARK: - A chain that begins anew

    /// Makes sure that the chain can be gone back to, before a whole database is fetched for it.
    ///
    /// - Throws: ``NodeError``, `ReplicaError`: why it cannot be yet.
    func checkThatChainHasBegun(_ chain: ChainStore) async throws {
        guard let newest = try await Restorer(chain.replica).plan(.latest).files.last else { return }
        if let core, let lease = core.leaseView(at: NodeClock.now) {
            if newest.max.rawValue <= lease.begin { throw NodeError.notBegunYet(behind: lease.begin, by: lease.name) }
            // Of two hosts' stores this one holds an older history until the new one's whole copy is there: a database that
            // went back to it now would leave what came since on the other host alone.
            if core.role == .quarantining, newest.max.rawValue < core.beginning {
                throw NodeError.notTakenOverYet(at: core.beginning, by: lease.name)
            }
        }
        guard try await chain.replica.header(of: newest).sourceMark != nil else {
            throw NodeError.unmarkedChain("\(chain.replica.store)")
        }
    }

    /// The copy to be laid beside a seal that begins a chain; `nil` where it is the first of a cluster, and the levels get
    /// their snapshot in time.
    func copy(_ seal: LocalTransaction, chain: ChainStore) -> BeginningCopy? {
        seal.state.epoch > 1 ? BeginningCopy(seal: seal, chain: chain) : nil
    }
}
