import Synchronization

/// Wakes the maintenance of a replica.
package final class MaintenanceSignal: Sendable {
    let wakeup = Wakeup()
    /// Whether nothing is due before something new comes.
    let isIdle = Atomic(true)

    /// Creates a signal.
    package init() {}

    /// Lets maintenance look at once.
    package func signal() { wakeup.signal() }

    /// Waits for a signal.
    package func wait(atMost limit: Duration) async { await wakeup.wait(atMost: limit) }

    /// The same, where only a maintenance that nothing else would wake needs to know.
    package func signalIfIdle() {
        if isIdle.load(ordering: .sequentiallyConsistent) { wakeup.signal() }
    }
}
