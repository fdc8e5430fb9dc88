public import Cluster

/// `cluster`: how this process takes part in a cluster of nodes that follow one database and take over from each other.
///
/// All nodes use one store, as the `replica` of the database; or each of two hosts has one, and ``peerStore`` is the other
/// host's. Then a ``witness`` says who may write; without one an operator does. Everything has a default: `cluster: {}` is
/// enough on a host whose other nodes need not reach it.
public struct ClusterConfiguration: Hashable, Sendable {
    /// A bound on takeovers, so that two sick nodes do not hand a database back and forth.
    public struct HoldDown: Hashable, Sendable {
        /// `takeovers`, count ≥ 1, default 3: how many takeovers on silence there may be.
        public var takeovers = 3
        /// `window`, duration > 0, default `1h`: within which time; after that a takeover waits for ten minutes.
        public var window: Duration = .seconds(3600)

        /// Creates the defaults.
        public init() {}
    }

    /// What is started on a node that has taken over.
    public struct PostFailover: Hashable, Sendable {
        /// `service`, bool, default true: the program of `exec`.
        public var service = true
        /// `writer`, bool, default true: the writer.
        public var writer = true

        /// Creates the defaults.
        public init() {}
    }

    /// Commands that are told of changes, each run by `/bin/sh -c`; after 10 s one is ended. None delays the node.
    public struct Hooks: Hashable, Sendable {
        /// `primary`: when the node has opened for writing.
        public var primary: String?
        /// `standby`: when the node follows.
        public var standby: String?
        /// `fence`: when the node has lost the right to write.
        public var fence: String?

        /// No hooks.
        public init() {}
    }

    /// `name`, text, default the name of the host: what people call the node; every node has another one.
    public var name: String

    /// `url`, http(s) URL, default ``listen`` unless that is all addresses of the host: where other nodes reach this one.
    /// What they say to each other makes handing over quick, and keeps writes going while the store is away
    /// (see ``isFailsafe``). ``reachableURL`` is what counts.
    public var url = ""

    /// `listen`, address, default `127.0.0.1:3000`: where this node answers, for health checks too. Others reach any
    /// address but one of the loopback: then ``token`` is needed.
    public var listen = ListenAddress(host: "127.0.0.1", port: 3000)

    /// `token`, text of 8 or more visible ASCII characters, default none: the word by which nodes and operators know each
    /// other; the same for all of them.
    public var token: Secret?

    /// `ttl`, duration from `300ms` to `24h`, default `6s`: how long a primary may be silent until another node takes
    /// over. Each third of it the primary writes to the store once.
    public var ttl: Duration = .seconds(6)

    /// `poll`, duration from `10ms` to a quarter of ``ttl``, default a tenth of it: how often a standby looks at the lease.
    public var poll: Duration?

    /// `health-url`, http(s) URL, default none: the primary's health check, as a standby asks it. Its failures are
    /// counted and shown, and make the standby look at the lease at once; they never are a reason to take over, but with
    /// ``isUnsafelyPromoted``.
    public var healthURL: String?

    /// `health-interval`, duration > 0, default `5s`: how often ``healthURL`` is asked.
    public var healthInterval: Duration = .seconds(5)

    /// `failure-threshold`, count ≥ 1, default 3: how many failures in a row count as one to tell of.
    public var failureThreshold = 3

    /// `failsafe`, `auto` or `off`, default `auto`: whether writes go on while the store is away, as long as every other
    /// node promises not to take over; for that each of them needs a ``url``.
    public var isFailsafe = true

    /// `hold-down`, mapping or `off`, default three takeovers in an hour: a bound on takeovers on silence; `nil`: none.
    public var holdDown: HoldDown? = HoldDown()

    /// `max-catch-up`, duration > 0, default `60s`: how long a node that takes over may need to read the chain to its end;
    /// after that it lets go, and stays a standby.
    public var maxCatchUp: Duration = .seconds(60)

    /// `drain`, duration ≥ 0, default `1s`: how long open transactions may go on when the node hands over or ends.
    public var drain: Duration = .seconds(1)

    /// `handoff`, duration > 0, default `5s`: how long a planned hand-over may take before it is taken back.
    public var handoff: Duration = .seconds(5)

    /// `spool-limit`, size ≥ `1MiB`, default `1GiB`: how much may wait on this host for a store that is away.
    public var spoolLimit: Int64 = 1 << 30

    /// `tail-policy`, `quarantine`, `halt` or `discard`, default `quarantine`: what becomes of commits that only a fenced
    /// node holds.
    public var tailPolicy = NodeConfiguration.TailPolicy.quarantine

    /// `post-failover`: what is started on a standby that has taken over.
    public var postFailover = PostFailover()

    /// `hooks`: commands that are told of changes.
    public var hooks = Hooks()

    /// `follow-interval`, duration > 0, default `1s`: how often a standby asks for new transactions.
    public var followInterval: Duration = .seconds(1)

    /// `peer-store`, URL or mapping as `replica`, default none: the store on the other of two hosts. A primary ships there;
    /// a standby follows from the `replica` of the database, the store on its own host. Keys of S3 that it does not set are
    /// those of the top level; when to ship is said in `replica`.
    public var peerStore: ReplicaConfiguration?

    /// `witness`, URL or mapping, default none: where the lease lies if each of two hosts has a store. Without one nobody
    /// takes over on silence: an operator says that the other host is down.
    public var witness: WitnessConfiguration?

    /// `unsafe-auto-promote`, bool, default false: without a ``witness``, whether a node says by itself that the other host
    /// is down, after ``failureThreshold`` failures of ``healthURL`` while that host's store does not answer either. Two
    /// hosts that lose sight of each other may both write then, and what the older one has committed becomes a tail.
    public var isUnsafelyPromoted = false

    /// Creates the defaults, with the name of this host.
    public init() {
        let host = Machine.hostName
        name = host.isEmpty ? "node" : host
    }

    /// Where other nodes reach this one: ``url``, or what follows from ``listen``; empty where neither tells.
    public var reachableURL: String {
        guard url.isEmpty, !listen.isEverywhere, listen.port != 0 else { return url }
        return "http://\(listen)"
    }

    /// Where this node is reached by commands on its own host.
    public var localURL: String {
        var address = listen
        if address.isEverywhere { address.host = address.host == "::" ? "::1" : "127.0.0.1" }
        return "http://\(address)"
    }
}
