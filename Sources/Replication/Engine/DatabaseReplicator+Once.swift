import LTX

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
            group.addTask { try await self.run() }
            // The work itself; when it is done, the run is ended by cancellation: nothing is left to ship.
            group.addTask { try await self.shipOnce(forcesSnapshot, enforcesRetention) }
            defer { group.cancelAll() }
            try await group.next()
        }
    }

    private func shipOnce(_ forcesSnapshot: Bool, _ enforcesRetention: Bool) async throws {
        try await sync(timeout: .seconds(3600 * 24))
        if forcesSnapshot { try await makeSnapshot() }
        if enforcesRetention { try await dropExpired() }
        try await engine.detach()
    }
}
