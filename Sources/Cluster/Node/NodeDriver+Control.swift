import LTX
import Logging
import ObjectStorage
import Replication

extension NodeDriver {
    /// Where the node stands.
    func status() -> NodeStatus {
        let node = identity?.node ?? NodeID(rawValue: 0)
        if let following {
            var status = NodeStatus(node: node, name: configuration.name, role: .standby)
            (status.position, status.failure) = (following.position, following.trouble)
            status.degradations = ["nobody can take over here: \(following.fact)"]
            return status
        }
        guard let core else {
            var status = NodeStatus(node: node, name: configuration.name, role: .joining)
            status.failure = waitingFor.map { "Waiting for \($0)." }
            return status
        }
        let now = NodeClock.now
        var status = NodeStatus(node: node, name: configuration.name, role: core.role)
        (status.cluster, status.epoch, status.position) = (core.settings.cluster, core.epoch, core.position)
        status.lease = core.leaseView(at: now)
        status.isWritable = core.gate.isOpen(at: now)
        (status.unacknowledgedTails, status.storeFailure) = (openTails, storeError)
        status.isReplicaWhole = !core.isUnsettled && storeError == nil && cellErrors[.peer] == nil
        if let primary {
            (status.lagTransactions, status.lag) = (UInt64(primary.unshippedCount), primary.lag)
        } else if let head = status.lease?.head, head.number > core.position.number {
            status.lagTransactions = head.number - core.position.number
            status.lag = behindSince.map { now - $0 } ?? .zero
        }
        status.failure = failure(core, status)
        status.degradations = degradations(core, now)
        return status
    }

    private func failure(_ core: NodeCore, _ status: NodeStatus) -> String? {
        switch core.role {
        case .halted: core.haltReason ?? "It has halted."
        case .primary:
            status.isWritable
                ? primary?.failure : "The lease ran out, and nobody answers: writes wait. \(storeError ?? "")"
        case .standby: chainTrouble.flatMap { $0.isBlocking ? "It cannot follow: \($0.words)" : nil }
        case .draining, .claiming, .claimed, .sealing, .sealed, .recorded: nil
        case .joining: "It finds out where its database stands on the chain. \(lastAlarm ?? "")"
        case .quarantining: "It goes back onto the chain, and keeps what only it holds. \(lastAlarm ?? "")"
        }
    }

    private func degradations(_ core: NodeCore, _ now: Moment) -> [String] {
        var words: [String] = []
        if let storeError { words.append("store away: \(storeError)") }
        if let chainTrouble, storeError == nil { words.append("the chain: \(chainTrouble.words)") }
        if core.isOpenByPromise(at: now) {
            words.append("the store is away: writes go on by the promises of all other nodes, none is replicated")
        }
        if openTails > 0 { words.append("\(openTails) tails wait to be acknowledged: `tail list`") }
        if let hindrance = core.hindrance(at: now) { words.append(hindrance) }
        words += crossedDegradations(core) + pairedDegradations(core)
        return words
    }

    private func pairedDegradations(_ core: NodeCore) -> [String] {
        guard places.topology == .paired else { return [] }
        var words: [String] = []
        for (site, error) in cellErrors.sorted(by: { $0.value < $1.value }) {
            words.append("\(site == .own ? "this host's store" : "the peer's store") is away: \(error)")
        }
        if let need = core.need { words.append(need.sentence + (need.command.map { " If so: `\($0)`" } ?? "")) }
        if configuration.isUnsafelyPromoted {
            words.append("'unsafe-auto-promote' is on: hosts that lose sight of each other may both write")
        }
        return words
    }

    private func crossedDegradations(_ core: NodeCore) -> [String] {
        guard let peer = places.peer, core.role == .primary else { return [] }
        if core.isUnsettled {
            return ["\(peer) does not hold the whole history yet: nothing is replicated until it does"]
        }
        return core.isProtecting && places.topology == .crossed
            ? ["the other host may not take over yet: not everything is known to be in \(peer)"] : []
    }

    // MARK: - Other nodes

    /// Another node asks for a promise.
    func promise(_ request: PromiseRequest) async -> Bool {
        guard core != nil, !hasEnded else { return false }
        promiseCount += 1
        var request = request
        request.reference = promiseCount
        let reference = promiseCount
        return await withCheckedContinuation { continuation in
            promises[reference] = continuation
            inbox.post(.promiseAsked(request))
        }
    }

    // MARK: - People

    /// Carries out an operator's word.
    func perform(_ command: NodeCommand) async throws(NodeCommandError) {
        if let following {
            throw NodeCommandError(
                .unfitStore,
                StoreProbe.Verdict.explanation(following.fact, store: "\(own)")
            )
        }
        guard let core else {
            throw NodeCommandError(.refused, "This node waits for \(waitingFor ?? "a cluster").")
        }
        if core.role == .halted {
            throw NodeCommandError(.needsOperator, core.haltReason ?? "This node has halted.")
        }
        switch command {
        case .promote: try await promote(command, core)
        case .promotePeerIsDown(let confirmed): try await promote(command, confirmed)
        case .switchover(let node): try await switchOver(to: node, core)
        case .demote:
            inbox.post(.command(command))
            try await wait(.seconds(30), "This node did not let go of the lease: the store may be away.") { core in
                core.memory.isDemoted && !core.role.isHolding && core.role != .claiming
            }
        case .shutDown: shutDown()
        }
    }

    private func promote(_ command: NodeCommand, _ core: NodeCore) async throws(NodeCommandError) {
        if core.role == .primary { return }
        if places.topology == .paired, case .asks = core.promotion {
            let holder = core.leaseView(at: NodeClock.now)?.name ?? "the other node"
            throw NodeCommandError(
                .refused,
                "\(holder) has the right to write: hand over with 'sqlite-replicate switchover -to \(configuration.name)' on "
                    + "its host, or, where it is down, say 'promote -peer-is-down' here."
            )
        }
        if !core.role.isHolding, core.hasLiveHolder(at: NodeClock.now) {
            let holder = core.leaseView(at: NodeClock.now)?.name ?? "another node"
            throw NodeCommandError(
                .refused,
                "\(holder) is primary and alive: hand over with 'sqlite-replicate switchover --to "
                    + "\(configuration.name)' on its host."
            )
        }
        inbox.post(.command(command))
        try await wait(.seconds(90), "This node did not become primary: see its log.") { $0.role == .primary }
    }

    /// Takes over from a peer that is down, without a witness, once what the rules ask is answered.
    private func promote(
        _ command: NodeCommand,
        _ confirmed: Set<PairQuestion>
    ) async throws(NodeCommandError) {
        // A cell may just be being read.
        let deadline = NodeClock.now + .seconds(5)
        while let core {
            switch core.promotion {
            case .needless where core.role == .primary: return
            case .needless(let why), .refused(let why):
                guard NodeClock.now < deadline else { throw NodeCommandError(.refused, why) }
                do { try await Pause.sleep(for: .milliseconds(50)) } catch {
                    throw NodeCommandError(.failed, "The node ends.")
                }
            case .asks(let word):
                let open = word.questions.filter { !confirmed.contains($0) }
                guard open.isEmpty else { throw NodeCommandError(.needsOperator, word.asking(open)) }
                inbox.post(.command(command))
                return try await wait(.seconds(90), "This node did not become primary: see its log.") {
                    $0.role == .primary
                }
            }
        }
    }

    private func switchOver(to node: NodeID, _ core: NodeCore) async throws(NodeCommandError) {
        guard core.role == .primary else {
            throw NodeCommandError(.refused, "This node is not the primary (\(core.role.rawValue)): ask that one.")
        }
        guard node != identity?.node else { return }
        if let absence = absence(of: node, core) { throw NodeCommandError(.refused, absence) }
        let epoch = core.epoch
        inbox.post(.command(.switchover(to: node)))
        let limit = configuration.handoff * 2 + .seconds(5)
        var hasLeft = false
        // The other one has opened once its seal has come back here.
        try await wait(limit, "The other node did not take over in time; see both logs.") { core in
            hasLeft = hasLeft || core.role != .primary
            if let cell = core.pair.own.seen?.lease, cell.node == node, cell.state == .held, cell.epoch > epoch {
                // Its whole copy may still be on its way.
                return core.role != .primary
            }
            return core.role == .standby && core.positionEpoch > epoch || hasLeft && core.role == .primary
        }
        guard self.core?.role != .primary else {
            throw NodeCommandError(.failed, "The hand-over was called off; nothing was lost, see the log.")
        }
    }

    /// Why nothing is handed over to a node that is not there, in words.
    private func absence(of node: NodeID, _ core: NodeCore) -> String? {
        // Without a witness there is no list: the other node takes the right once it is let go to it.
        if places.topology == .paired {
            return core.hasMovedLately(node, at: NodeClock.now)
                ? nil : "Nothing was heard of node \(node) for \(core.settings.absence): is it running?"
        }
        return core.leaseView(at: NodeClock.now)?.eligible.contains(node) ?? false
            ? nil : "Node \(node) is not on the list of those that may take over: is it running, and has it joined?"
    }

    private func wait(
        _ limit: Duration,
        _ words: String,
        until condition: (NodeCore) -> Bool
    ) async throws(NodeCommandError) {
        let deadline = NodeClock.now + limit
        while NodeClock.now < deadline {
            guard let core else { break }
            if condition(core) { return }
            if core.role == .halted { throw NodeCommandError(.needsOperator, core.haltReason ?? "It has halted.") }
            do { try await Pause.sleep(for: .milliseconds(10)) } catch { break }
        }
        throw NodeCommandError(.failed, words)
    }

    /// The node of a name or an id.
    func node(named text: String) async -> NodeID? {
        if let found = try? await chains?.others.nodeRecords() { note(found) }
        if let id = NodeID(text), records[id] != nil || id == identity?.node { return id }
        // A host that lost its disk came back as another node: of those that bear the name, one that takes part.
        let named = records.values.filter { $0.name == text }.map(\.node).sorted()
        let eligible = core?.leaseView(at: NodeClock.now)?.eligible ?? []
        return named.first { eligible.contains($0) } ?? named.first
    }
}
