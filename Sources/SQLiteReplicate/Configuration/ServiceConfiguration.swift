/// `service`: what the command `service` runs in one process.
public struct ServiceConfiguration: Hashable, Sendable {
    /// `service.health`, bool, default true: whether health is answered over HTTP (``ClusterConfiguration/listen``).
    public var servesHealth = true
    /// `service.writer`, bool, default true: whether the writer puts a time into the table `events`, again and again.
    public var writes = true
    /// `service.replication`, bool, default true: whether the database is replicated.
    public var replicates = true
    /// `service.writer-interval`, duration > 0, default `1s`: how often the writer writes.
    public var writerInterval: Duration = .seconds(1)

    /// The port of 127.0.0.1 at which health is answered without a cluster; set by a flag. In one it is that of
    /// ``ClusterConfiguration/listen``.
    public var port = 3000

    /// Creates the defaults.
    public init() {}
}
