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
        let file = try await memoryFile()
        // Two processes of one node would take each other's lease for that of a dead session.
        processLock = try await onDisk { try file.lock() }
        let (identity, origin) = try await onDisk { try file.load() }
        if case .copied(let node) = origin {
            logger.notice("The metadata was copied from another node", metadata: ["from": "\(node)"])
        }
        self.identity = identity
        let folder = try await database.folder()
        let chain = ChainStore(replica: replica, creating: creating, layout: layout, folder: folder)
        self.chain = chain
        guard let cluster = try await findCluster(chain, identity) else { return }
        if identity.cluster == nil {
            self.identity?.cluster = cluster.id
            if let new = self.identity { try await onDisk { try file.save(new) } }
        }
        makeCore(cluster.id)
        if let words = cluster.trouble { inbox.post(.broken(words)) }
        if let found = try? await chain.nodeRecords() { note(found) }
    }

    /// The node's own file.
    func memoryFile() async throws -> NodeMemoryFile { NodeMemoryFile(try await database.folder()) }

    private func makeCore(_ cluster: ClusterID) {
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
        core = NodeCore(
            settings,
            memory: identity.memory,
            seed: .random(in: .min ... .max),
            now: NodeClock.now
        )
    }

    // MARK: - The cluster

    private struct FoundCluster {
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
            case .unfit(let words): return FoundCluster(id: identity.cluster ?? ClusterID(rawValue: 0), trouble: words)
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
        do { objects = try await replica.store.list(prefix: layout.prefix) } catch {
            wait(for: "the store, which does not answer: \(error.message)")
            return nil
        }
        if identity.cluster != nil || !objects.isEmpty {
            let words =
                "The lease is gone from \(replica.store), where a cluster was. When no node writes any more: "
                + "`cluster repair --recreate-lease`."
            return FoundCluster(id: identity.cluster ?? ClusterID(rawValue: 0), trouble: words)
        }
        guard configuration.beginning == .begins else {
            // Where it has followed it was shut down, and the loop that asked ends.
            _ = try await followOrWait(chain)
            return nil
        }
        return try await begin(chain, identity)
    }

    /// Begins a cluster: a lease that this node alone may claim (N15).
    private func begin(_ chain: ChainStore, _ identity: NodeIdentity) async throws -> FoundCluster? {
        let highest: UInt64
        do {
            if case .unfit(let fact) = try await StoreProbe(leases.store, layout: layout).run() {
                throw NodeError.unfitStore(StoreProbe.Verdict.explanation(fact, store: "\(leases.store)"))
            }
            highest = try await chain.replica.list().highest?.rawValue ?? 0
        } catch let error as ObjectStoreError {
            wait(for: "the store, which does not answer: \(error.message)")
            return nil
        }
        if await !database.exists {
            guard highest == 0 else {
                throw NodeError.noDatabase(
                    "\(database.path) (while \(replica.store) holds a replica: restore it first)"
                )
            }
            guard let makesDatabase = configuration.makesDatabase else {
                throw NodeError.noDatabase(database.path.string)
            }
            try await makesDatabase()
        }
        try await database.found(behind: highest)
        let id = ClusterID(rawValue: .random(in: 1 ... .max))
        let lease = Lease(
            cluster: id,
            epoch: .zero,
            session: SessionID(rawValue: .random(in: 1 ... .max)),
            node: identity.node,
            name: configuration.name,
            state: .free,
            counter: 0,
            nonce: .random(),
            ttl: configuration.ttl,
            head: ChainPoint(number: highest, checksum: 0),
            begin: highest,
            eligible: [identity.node],
            url: configuration.url
        )
        // Whatever the answer is, the next look tells what became of it.
        _ = await leases.swap(lease, condition: nil)
        logger.notice("Beginning a cluster", metadata: ["cluster": "\(id)", "behind": "\(highest)"])
        return nil
    }
}
