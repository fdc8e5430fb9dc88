import LTX
import ObjectStorage
import SystemPackage

extension DatabaseReplicator {
    /// Ships what there is, and ends: attaches, waits until the newest commit is accepted, and detaches.
    ///
    /// - Parameters:
    ///   - forcesSnapshot: Whether to publish a snapshot of the newest state.
    ///   - enforcesRetention: Whether to drop what is past its retention.
    /// - Throws: ``CaptureError``, ``ReplicaError``, ``ReplicationTimeout`` where the store did not answer within the
    ///   time for shutdown.
    public func runOnce(forcesSnapshot: Bool = false, enforcesRetention: Bool = false) async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await self.run(maintains: false) }
            // The work itself; when it is done, the run is ended by cancellation: nothing is left to ship.
            group.addTask { try await self.shipOnce(forcesSnapshot, enforcesRetention) }
            defer { group.cancelAll() }
            try await group.next()
        }
    }

    /// Waits until the replica has answered and its history is proven to be ours.
    private func waitForStore() async throws {
        let deadline = ContinuousClock.now + settings.shutdownTimeout
        while await shipper.listing == nil {
            guard ContinuousClock.now < deadline else {
                throw ReplicationTimeout(database: settings.database.string, timeout: settings.shutdownTimeout)
            }
            try await Pause.sleep(for: .milliseconds(20))
        }
    }

    private func shipOnce(_ forcesSnapshot: Bool, _ enforcesRetention: Bool) async throws {
        // A store that is away ends this soon; a large first copy to one that answers may take its time.
        try await waitForStore()
        try await sync(timeout: max(settings.shutdownTimeout, .seconds(3600)))
        if forcesSnapshot { try await maintenance.makeSnapshot() }
        if enforcesRetention { try await maintenance.dropExpired() }
        guard try await engine.detach() else {
            throw ReplicationIncomplete(database: settings.database.string, fileCount: 0, isCaptured: false)
        }
    }
}
