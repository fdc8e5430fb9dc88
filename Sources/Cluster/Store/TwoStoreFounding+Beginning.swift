import ObjectStorage

/// Beginning the cluster of two stores.
extension TwoStoreFounding {
    /// Begins the cluster, unless there is one, or completes what was begun.
    ///
    /// Both stores must be able to fence, be two, and be of no other cluster. What lies in them may stay: the history begins
    /// behind it.
    ///
    /// - Parameters:
    ///   - founder: The node.
    ///   - pageSize: The size of its database's pages in bytes, where it is known: a replica of another one is noticed by it.
    ///   - isAboutTo: Called before the lease is written, with the highest transaction of the own store: what must be
    ///     durable on this host by then. It may be called where another node is faster after all.
    /// - Throws: ``NodeCommandError``: `unfitStore` where a store cannot fence, `needsOperator` where something is to be put
    ///   right first, `failed` where a store or the witness does not answer, or another node is at it.
    package func found(
        by founder: ClusterFounding.Founder,
        pageSize: Int? = nil,
        isAboutTo: (UInt64) async throws -> Void
    ) async throws(NodeCommandError) -> ClusterFounding.Outcome {
        var begin: ChainPoint?
        for _ in 0..<Self.attempts {
            let look = try await look()
            let verdict = verdict(look, founder)
            let cluster: ClusterID
            switch verdict {
            case .nothing: cluster = .random()
            case .unfinished(let unfinished): cluster = unfinished
            case .awaited(let cluster, let name): throw awaited(cluster, name)
            case .unclear, .wrong, .member, .joins, .replaces:
                guard case .present(let found, _) = try await find(founder.node, of: founder.cluster) else { continue }
                return .present(try await leaseThatIs(of: found))
            }
            if let site = look.unseen.first { throw silence(site, look) }
            if begin == nil {
                do throws(NodeCommandError) {
                    begin = try await check(pageSize: pageSize)
                } catch {
                    // Another node may have come to the end meanwhile, and left what was found.
                    let again = try await self.look()
                    guard self.verdict(again, founder) == verdict else { continue }
                    throw error
                }
            }
            guard let end = begin else { continue }
            guard try await claim(cluster, founder, look) else { continue }
            return try await writeLease(of: cluster, founder, behind: end, isAboutTo)
        }
        throw restless
    }

    private func verdict(_ look: Look, _ founder: ClusterFounding.Founder) -> TwoStoreVerdict {
        .decide(founder.node, of: founder.cluster, own: look.own.sight, peer: look.peer.sight)
    }

    /// Puts both records into their places, the peer's store's first.
    ///
    /// - Returns: Whether they are there: if not, another founder was at it.
    private func claim(
        _ cluster: ClusterID,
        _ founder: ClusterFounding.Founder,
        _ look: Look
    ) async throws(NodeCommandError) -> Bool {
        var record = StoreRecord(cluster: cluster, host: nil, name: founder.name, state: .beginning)
        if look.peer.sight.record?.cluster != cluster {
            guard try await put(record, .peer, replacing: look.peer.version) else { return false }
        }
        guard look.own.sight.record?.host != founder.node || look.own.sight.record?.cluster != cluster else {
            return true
        }
        record.host = founder.node
        return try await put(record, .own, replacing: look.own.version)
    }

    private func writeLease(
        of cluster: ClusterID,
        _ founder: ClusterFounding.Founder,
        behind end: ChainPoint,
        _ isAboutTo: (UInt64) async throws -> Void
    ) async throws(NodeCommandError) -> ClusterFounding.Outcome {
        if let lease = try await lease(of: cluster) { return try await ended(.present(lease), founder) }
        // An earlier try may have come as far as the peer's cell; what else is there is not ours to go on from.
        if let cells = witness as? PairedCells { _ = try await lease(of: cluster, in: cells.cell(in: .peer)) }
        let body = founder.freeLease(cluster, epoch: .zero, head: end, begin: end.number)
        do {
            try await isAboutTo(body.begin)
        } catch {
            throw NodeCommandError(.failed, "\(error)")
        }
        let cell = witness.cell(of: cluster)
        let answer: (answer: SwapAnswer, error: ObjectStoreError?)
        if let cells = witness as? PairedCells {
            answer = await cells.begin(with: body)
        } else {
            answer = await LeaseStore(cell).swap(body, condition: nil)
        }
        if case .swapped = answer.answer { return try await ended(.founded(body), founder) }
        // Another node was faster, or the answer was lost.
        guard let there = try await lease(of: cluster) else {
            throw NodeCommandError(.failed, "\(answer.error?.message ?? "\(cell) took no lease.") Try again.")
        }
        return try await ended(there.session == body.session ? .founded(there) : .present(there), founder)
    }

    /// Writes down that the lease is there: whoever finds it gone from now on does not write another one.
    private func ended(
        _ outcome: ClusterFounding.Outcome,
        _ founder: ClusterFounding.Founder
    ) async throws(NodeCommandError) -> ClusterFounding.Outcome {
        for _ in 0..<Self.attempts {
            let look = try await look()
            guard var own = look.own.sight.record else { throw silence(.own, look) }
            guard own.host == founder.node, own.cluster == outcome.lease.cluster else { throw restless }
            if own.state == .beginning {
                own.state = .begun
                guard try await put(own, .own, replacing: look.own.version) else { continue }
            }
            // The peer asks the lease where this is not known to have got there.
            if var peer = look.peer.sight.record, peer.host == nil, peer.state == .beginning {
                peer.state = .begun
                _ = try? await put(peer, .peer, replacing: look.peer.version)
            }
            return outcome
        }
        throw restless
    }

    private func leaseThatIs(of cluster: ClusterID) async throws(NodeCommandError) -> Lease {
        guard let lease = try await lease(of: cluster) else { throw lostLease(cluster) }
        return lease
    }
}

extension ClusterFounding.Outcome {
    fileprivate var lease: Lease {
        switch self {
        case .founded(let lease), .present(let lease): lease
        }
    }
}
