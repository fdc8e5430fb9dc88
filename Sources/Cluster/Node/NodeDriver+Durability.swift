import LTX
import ObjectStorage
import Replication

extension NodeDriver {
    /// A place that covers everything committed by now.
    ///
    /// - Parameter limit: How long to wait for a capture that was suspended because the spool was full.
    func position(within limit: Duration = .zero) async throws -> ChainPosition {
        let deadline = ContinuousClock.now + limit
        while true {
            // The role is told a moment before capture stands.
            while core?.role == .primary, primary == nil, !hasEnded { try await Pause.sleep(for: .milliseconds(2)) }
            guard let primary, core?.role == .primary else { throw NodeError.notPrimary(core?.role ?? .joining) }
            do {
                let transaction = try await primary.engine.coveringTransaction()
                return ChainPosition(epoch: primary.epoch.rawValue, transaction: transaction?.rawValue ?? 0)
            } catch let error as CaptureError
                where error.code == .noDatabase && primary.lost == nil && ContinuousClock.now < deadline
            {
                try await Pause.sleep(for: .milliseconds(10))
            }
        }
    }

    func waitUntilReplicated(_ position: ChainPosition, timeout: Duration) async throws {
        guard let primary, primary.epoch.rawValue == position.epoch else {
            throw NodeError.superseded("the epoch of the commit is over.")
        }
        guard let id = TransactionID(exactly: position.transaction) else { return }
        let waiters = primary.waiters
        try await Self.limited(timeout, "The commit was not replicated") { try await waiters.wait(for: id) }
    }

    func waitUntilApplied(_ position: ChainPosition, timeout: Duration) async throws {
        guard let id = TransactionID(exactly: position.transaction) else { return }
        let applied = applied
        try await Self.limited(timeout, "The commit has not arrived here") {
            try await applied.wait(for: id)
            try await self.confirm(position)
        }
    }

    /// Makes sure that the transaction of a place is the one of its epoch: a commit that was never shipped is not on the
    /// chain, and a successor has used its number.
    ///
    /// While a successor has the lease and has not recorded its epoch nobody can tell: it waits.
    private func confirm(_ position: ChainPosition) async throws {
        while let chain, let core {
            guard core.positionEpoch.rawValue != position.epoch else { return }
            let later = try await chain.epochRecords().filter { $0.epoch.rawValue > position.epoch }
            if let next = later.min(by: { $0.epoch < $1.epoch }) {
                // Behind a seal whose epoch was never recorded nobody can tell, either.
                guard position.transaction < next.first, next.parentEpoch.rawValue <= position.epoch else {
                    throw NodeError.neverShipped(next.epoch)
                }
                return
            }
            let newest = core.leaseView(at: NodeClock.now)?.epoch.rawValue ?? 0
            if core.positionEpoch.rawValue <= position.epoch, newest <= position.epoch { return }
            try await Pause.sleep(for: max(configuration.ttl / 10, .milliseconds(50)))
        }
    }

    private static func limited(
        _ limit: Duration,
        _ what: String,
        _ body: @escaping @Sendable () async throws -> Void
    ) async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await body() }
            group.addTask {
                try await Pause.sleep(for: limit)
                throw NodeError.timedOut(what, limit)
            }
            defer { group.cancelAll() }
            try await group.next()
        }
    }
}
