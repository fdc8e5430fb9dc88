import LTX
import ObjectStorage
import Replication
import Synchronization
import SystemPackage

/// A store that is to hold the whole history by a copy in it (failover-review G3).
extension PrimaryEngine {
    /// Makes the newest state a file with all pages, under this number or a higher one. Commits go on meanwhile, and are
    /// collected behind it after ``collectBehindCopy()``.
    ///
    /// - Throws: What capture throws; `CancellationError`. What was closed before goes on being collected then.
    func makeCopy(from number: UInt64) async throws -> LocalTransaction {
        guard let id = TransactionID(exactly: number) else {
            throw NodeError.store("Transaction numbers are used up: begin a new cluster under another path.")
        }
        beginCopy()
        do {
            let jump = try await jump(from: id)
            let path = folder.temporaryFile("copy")
            let mode = folder.fileMode
            let isWanted = { @Sendable [self] in !isHalted }
            let copy = try await onDisk { try jump.write(to: path, mode: mode, while: isWanted) }
            await take(copy)
            return copy
        } catch {
            await engine.prepareJump(false)
            collectBehindCopy()
            throw error
        }
    }

    /// Why no whole copy goes into a store: what is another database's stays as it is. `nil`: nothing is known against it.
    func objection(to chain: ChainStore) async -> String? {
        let status = await engine.status()
        // Before it is attached it cannot make a copy either.
        guard status.databaseSize > 0 else { return nil }
        return await chain.objection(toPagesOf: status.pageSize)
    }

    /// Waits for a moment at which the numbers can jump.
    private func jump(from id: TransactionID) async throws -> HistoryJump {
        await engine.prepareJump(true)
        while !isHalted {
            // One that could not be resumed before has let go of the database as well.
            if await engine.phase == .suspended || isToResume.load(ordering: .sequentiallyConsistent) {
                try await resume()
            }
            if let jump = try await engine.jump(from: id) { return jump }
            try await Pause.sleep(for: .milliseconds(20))
        }
        throw CancellationError()
    }

    /// The store has accepted the copy: puts it beside the chain as a snapshot, so that every restore finds it.
    ///
    /// - Throws: `ReplicaError`, failures of the disk.
    func publishCopy() async throws {
        guard let copy = waitingCopy else { return }
        try await BeginningCopy(seal: copy, chain: chain).publish()
        forgetListing()
        try await lookAtStore()
        settle(behind: copy.header.maxTXID)
        try? await onDisk { try Disk.remove(copy.path) }  // else the next start removes it
    }

    // MARK: - What is known of it

    /// The metadata folder.
    var folder: MetadataFolder { chain.folder }

    /// Whether the store does not hold the whole history yet.
    var isUnsettled: Bool { shared.values.withLock { $0.isUnsettled } }

    /// The whole copy that does not lie in the store as a snapshot yet.
    var waitingCopy: LocalTransaction? { shared.values.withLock { $0.copy } }

    /// What is closed from now on waits for the copy.
    func beginCopy() {
        shared.values.withLock { state in (state.isCopying, state.isUnsettled) = (true, true) }
    }

    /// The copy is there: it takes the place of all that was to be shipped.
    func take(_ copy: LocalTransaction) async {
        let old = shared.values.withLock { state in
            defer { state.copy = copy }
            (state.collected, state.pending) = (copy.state.number, [copy.state.number: copy])
            state.found = [:]
            return state.copy
        }
        guard let old, old.path != copy.path else { return }
        try? await onDisk { try Disk.remove(old.path) }  // else the next start removes it
    }

    /// What was closed behind the copy is collected from here on.
    func collectBehindCopy() { shared.values.withLock { $0.isCopying = false } }

    /// What is known of the store's files may not be so any more: its disk went back.
    func forgetListing() { shared.values.withLock { $0.listing = ReplicaListing() } }

    /// The store holds the whole history: merging begins behind the copy.
    func settle(behind id: TransactionID) {
        shared.values.withLock { state in (state.beginning, state.isUnsettled, state.copy) = (id, false, nil) }
        signal.signal()
    }

    /// Goes on capturing where the spool is full; what waits is in the copy that is to be made.
    func resume() async throws {
        isToResume.store(true, ordering: .sequentiallyConsistent)
        // Before it: the spool may be full again while the copy is being written.
        shared.values.withLock { $0.isSuspended = false }
        await engine.resumeFromSuspension()
        try await engine.attach()
        isToResume.store(false, ordering: .sequentiallyConsistent)
    }
}
