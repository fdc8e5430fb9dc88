public import Replication

/// How a node of a cluster is set up.
public struct NodeConfiguration: Sendable {
    /// What is done where a store holds no cluster yet.
    public enum Beginning: Hashable, Sendable {
        /// The node begins one with its own database (`service`, `cluster init`).
        case begins
        /// The node waits for one (`standby`).
        case waits
    }

    /// What becomes of commits that only a fenced node holds.
    public enum TailPolicy: String, Hashable, Sendable, CaseIterable {
        /// They are kept aside, then the node follows.
        case quarantine
        /// The node halts before anything is changed; people decide.
        case halt
        /// They are dropped, and that is logged.
        case discard
    }

    /// How the database is replicated: its path among others.
    public var database: DatabaseSettings
    /// The node's name, for people; unlike other nodes'.
    public var name: String
    /// Where it answers other nodes, such as `http://10.0.0.1:3000`; empty if it does not.
    public var url = ""
    /// What it does where there is no cluster yet.
    public var beginning = Beginning.begins
    /// The lease's time to live; from 300 ms to a day.
    public var ttl: Duration = .seconds(6)
    /// How often others than the holder look at the lease; `nil`: each tenth of its time to live.
    public var poll: Duration?
    /// How often a standby asks for the next file.
    public var followInterval: Duration = .seconds(1)
    /// How often a node writes its record, and the primary reads those of all; a hint makes the primary look at once.
    public var registration: Duration = .seconds(60)
    /// How long open transactions may go on once writing is to end.
    public var drain: Duration = .seconds(1)
    /// How long a hand-over may take before it is taken back.
    public var handoff: Duration = .seconds(5)
    /// How many takeovers on silence within ``holdDownWindow``; `nil`: no bound.
    public var holdDownLimit: Int? = 3
    /// The window of the bound on takeovers.
    public var holdDownWindow: Duration = .seconds(3600)
    /// How long a node that has won the lease may take to read the chain to its end; then it lets the lease go.
    public var maxCatchUp: Duration = .seconds(60)
    /// Whether promises of the other nodes keep the gate open while the store is away.
    public var isFailsafe = true
    /// Without a witness: whether the node takes over by itself where the peer's health checks fail and its store does not
    /// answer. Two hosts that only lose sight of each other both write then.
    public var isUnsafelyPromoted = false
    /// The version of the program, for the node's record.
    public var version = ""
    /// Makes the database where a cluster begins and there is none; `nil`: it must be there.
    public var makesDatabase: (@Sendable () async throws -> Void)?
    /// What becomes of tails.
    public var tailPolicy = TailPolicy.quarantine

    /// Takes the database and the node's name; all else has defaults.
    public init(database: DatabaseSettings, name: String) { (self.database, self.name) = (database, name) }
}
