/// How ``Commands/replicate(_:options:logger:)`` goes about its work.
public struct ReplicateOptions: Hashable, Sendable {
    /// Ship what is there once and end, instead of until a graceful shutdown.
    public var isOnce = false
    /// Make a snapshot of every database, with ``isOnce``.
    public var forcesSnapshot = false
    /// Drop what is past its retention, with ``isOnce``.
    public var enforcesRetention = false

    /// The options of a replication that goes on.
    public init() {}
}

/// How a replication ended.
public struct ReplicateOutcome: Hashable, Sendable {
    /// Whether every database's last commit lies at its replica.
    public var isEverythingShipped: Bool
    /// The exit code of the program of `exec`, 128 and the signal's number where one has ended it, 0 where that was the
    /// signal to stop; `nil` where none ran.
    public var programExitCode: Int32?

    /// Creates an outcome.
    public init(isEverythingShipped: Bool, programExitCode: Int32? = nil) {
        (self.isEverythingShipped, self.programExitCode) = (isEverythingShipped, programExitCode)
    }
}
