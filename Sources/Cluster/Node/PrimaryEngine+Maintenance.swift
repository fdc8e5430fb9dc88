import LTX
import ObjectStorage
import Replication
import Synchronization

/// Merging and dropping while a node writes, by the books of its epoch.
extension PrimaryEngine {
    /// Merges and drops what is due, until ``end()``.
    func maintain() async {
        while !isEnding.load(ordering: .sequentiallyConsistent), !Task.isCancelled {
            do {
                try await lookAtStore()
                break
            } catch {
                await signal.wait(atMost: .seconds(5))
            }
        }
        let maintenance = ReplicaMaintenance(
            engine,
            replica: chain.replica,
            settings: settings,
            books: self,
            logger: logger,
            signal: signal,
            isEnding: { [self] in isEnding.load(ordering: .sequentiallyConsistent) }
        )
        await maintenance.run()
    }

    /// Learns what lies in the store, and which of it may be contested.
    func lookAtStore() async throws {
        let listing = try await chain.replica.list()
        let records = try await chain.epochRecords()
        shared.values.withLock { state in
            // What was accepted since the listing began is not in it yet.
            let known = state.listing.files
            state.listing = listing
            for file in known { state.listing.insert(file) }
            state.contested = records.compactMap(\.contestedTransactions)
        }
    }

    /// The files below this transaction may be deleted, so far as the lease is concerned; 0: none.
    func setLicence(below number: UInt64) {
        let isNew = shared.values.withLock { state in
            defer { state.licence = number }
            return state.licence != number
        }
        if isNew { signal.signalIfIdle() }
    }

    /// Nothing is merged or deleted while the store is not known to hold the history, or a part of it.
    func setHeldBack(_ isHeldBack: Bool) {
        let wasHeldBack = shared.values.withLock { state in
            defer { state.isHeldBack = isHeldBack }
            return state.isHeldBack
        }
        if wasHeldBack, !isHeldBack { signal.signalIfIdle() }
    }

    var listing: ReplicaListing? {
        shared.values.withLock { $0.contested == nil || $0.isUnsettled || $0.isHeldBack ? nil : $0.listing }
    }
    var beginning: TransactionID? { shared.values.withLock { $0.beginning } }
    var accepted: TransactionID? { shared.values.withLock { $0.accepted } }
    var isHalted: Bool { isEnding.load(ordering: .sequentiallyConsistent) }

    func deletionLicence() -> DeletionLicence {
        shared.values.withLock { state in
            guard let contested = state.contested, !isHalted, !state.isUnsettled, !state.isHeldBack else {
                return .none
            }
            return DeletionLicence(below: TransactionID(exactly: state.licence), contested: contested)
        }
    }

    func update(inserting new: [ReplicaFile], removing old: [ReplicaFile]) {
        shared.values.withLock { state in
            for file in new { state.listing.insert(file) }
            for file in old { state.listing.remove(file) }
        }
    }
}
