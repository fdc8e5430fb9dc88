import Replication

/// Ways out by which the chain begins anew, with a whole copy of this host's database behind the seal (failover-review N15).
///
/// The lease says behind which transaction, and that this node alone may claim it; every other node goes back to the new
/// beginning by a restore, and keeps what only it holds.
extension ClusterRepair {
    /// So many of the newest level-0 files are looked at for one of another program.
    private static let depth = 1024
    /// How far beyond every transaction that is known a chain begins anew: what the store has forgotten, and no record
    /// tells of any more, must be below.
    static let transactionMargin: UInt64 = 1 << 32
    /// The same for epochs.
    static let epochMargin: UInt64 = 1 << 16

    /// Goes on behind files that another program has written.
    ///
    /// - Parameters:
    ///   - host: What this host knows of its database.
    ///   - isAboutTo: Called before the lease is written, with the transaction behind which the chain begins anew: what must
    ///     be durable on this host by then.
    /// - Returns: The new lease; `nil` where no such file was found.
    package func adopt(
        with host: HostRecord,
        isAboutTo: (UInt64) async throws -> Void
    ) async throws(NodeCommandError) -> Lease? {
        guard let found = try await readable() else {
            throw NodeCommandError(.needsOperator, "There is no lease at '\(key)' in \(store): `cluster status`.")
        }
        try await checkThatNobodyWrites(found.lease)
        let founder = try founder(of: found.lease)
        let chain = try await chain(depth: Self.depth)
        let isForeign = chain.foreign.map { $0 > found.lease.begin } ?? false
        // Another host was chosen before, and its node has never written its copy: this one takes its place.
        let isPending =
            found.lease.continues != nil && found.lease.node != founder.node && chain.end.number <= found.lease.begin
        guard isForeign || isPending else { return nil }
        let begin = max(chain.end.number, found.lease.head.number)
        var lease = founder.freeLease(
            found.lease.cluster,
            epoch: max(found.lease.epoch, chain.epoch, founder.won).next,
            head: ChainPoint(number: begin, checksum: begin == chain.end.number ? chain.end.checksum : 0),
            begin: begin,
            continues: Lease.Continuation(since: found.lease.begin, through: host.holds)
        )
        lease.other = found.lease.other
        try await prepare(begin, isAboutTo)
        return try await write(lease, over: found.version)
    }

    /// After a store went back in time: the chain goes on beyond everything that any node may know.
    ///
    /// - Parameters:
    ///   - host: What this host knows of its database.
    ///   - isAboutTo: As for ``adopt(with:isAboutTo:)``.
    package func reseed(
        with host: HostRecord,
        isAboutTo: (UInt64) async throws -> Void
    ) async throws(NodeCommandError) -> Lease {
        let found = try await readable()
        if let found { try await checkThatNobodyWrites(found.lease) }
        let founder = try founder(of: found?.lease)
        let survey = try await survey()
        let chain = try await chain()
        let known =
            survey.nodes.map(\.record.position.number) + survey.epochs.map(\.record.first)
            + [chain.end.number, host.newest, found?.lease.head.number ?? 0, found?.lease.begin ?? 0]
        let (begin, isTooFar) = (known.max() ?? 0).addingReportingOverflow(Self.transactionMargin)
        let newest = max(survey.highestEpoch, chain.epoch, founder.won, host.epoch, found?.lease.epoch ?? .zero)
        let (epoch, isTooLate) = newest.rawValue.addingReportingOverflow(Self.epochMargin)
        guard !isTooFar, begin < UInt64(Int64.max), !isTooLate, epoch < UInt64(Int64.max) else {
            throw NodeCommandError(
                .failed,
                "\(store) holds numbers of transactions or epochs beyond which none are left: give the cluster a new path."
            )
        }
        var lease = founder.freeLease(
            founder.cluster ?? .random(),
            epoch: Epoch(rawValue: epoch),
            head: ChainPoint(number: begin, checksum: 0),
            begin: begin,
            continues: .nothing
        )
        lease.other = found?.lease.other ?? [:]
        try await prepare(begin, isAboutTo)
        return try await write(lease, over: found?.version)
    }

    /// This host's node, of the cluster of the lease.
    private func founder(of lease: Lease?) throws(NodeCommandError) -> ClusterFounding.Founder {
        let (founder, cluster) = try member()
        if let other = lease?.cluster, other != cluster {
            throw NodeCommandError(.refused, "The lease is of cluster \(other), this node belongs to \(cluster).")
        }
        return founder
    }

    private func prepare(
        _ begin: UInt64,
        _ isAboutTo: (UInt64) async throws -> Void
    ) async throws(NodeCommandError) {
        do {
            try await isAboutTo(begin)
        } catch let error as NodeCommandError {
            throw error
        } catch {
            throw NodeCommandError(.failed, "\(error)")
        }
    }
}
