import Cluster
import ServiceLifecycle

/// What the host needs of a node; only the file beside this one knows which one it is.
protocol HostedNode: Service, NodeControl {
    /// Asked by the application's connection at each commit.
    var gate: WriteGateControl { get }
    /// A new stream for each call: the present role first.
    var roleChanges: AsyncStream<Role> { get }
    /// Waits until the store has accepted all that is committed by now.
    func waitForStore(timeout: Duration) async throws
}
