import ArgumentParser
import Cluster
import SQLiteReplicate

/// `cluster adopt`: goes on behind what another program has written.
struct ClusterAdoptCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "adopt",
        abstract: "Go on behind files that another program has written among those of a cluster.",
        discussion: """
            For nodes that have halted because of such a file. Stop that program and all nodes, then run this on the host \
            whose database is to count. The history goes on from that database as it is now: its node writes a whole copy \
            of it behind all files that are there. Every other node restores that copy when it is started, and keeps what \
            only it holds as a tail. Nothing in the store is removed. Not for two hosts with a store each (exit code 4).

            \(NodeExit.discussion)
            """,
    )

    @OptionGroup var node: NodeOptions
    @OptionGroup var consent: Consent

    func validate() throws { try consent.validate(Self.danger) }

    private static let danger =
        "the history goes on from the database of this host, and all other nodes are put back to that"

    func run() async throws {
        try await NodeExit.run {
            let configuration = try node.loadQuietly()
            let logger = try LogSettings.quietLogger()
            try consent.ask(Self.danger)
            let lease = try await StopSignals.cancel { try await Commands.clusterAdopt(configuration, logger: logger) }
            guard let lease else {
                return StandardStreams.output("No file of another program was found: nothing was changed.\n")
            }
            StandardStreams.output(
                "The history goes on behind transaction \(TransactionNumber.text(lease.begin)), in epoch \(lease.epoch). "
                    + Consent.next
            )
        }
    }
}

/// `cluster repair`: puts the lease right.
struct ClusterRepairCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "repair",
        abstract: "Write a new lease, where the old one is gone or the store went back in time.",
        discussion: """
            Stop all nodes first: a node that still writes while the lease is replaced can make two histories. Run it on \
            the host of a node that has taken part. Not for two hosts with a store each (exit code 4).

            With -recreate-lease the lease is written again, and whoever was a member may claim it. With -reseed, on the \
            host with the newest database, the history goes on from that database, far beyond every transaction that any \
            node may know; all other nodes restore it when they are started, and keep what only they hold as a tail.

            \(NodeExit.discussion)
            """,
    )

    @Flag(name: .both("recreate-lease"), help: "The lease is gone, or something else lies in its place.")
    var recreateLease = false

    @Flag(name: .both("reseed"), help: "The store went back in time: this host's database is what counts.")
    var reseed = false

    @OptionGroup var node: NodeOptions
    @OptionGroup var consent: Consent

    func validate() throws {
        guard recreateLease != reseed else { throw ValidationError("Give one of -recreate-lease and -reseed.") }
        try consent.validate(danger)
    }

    private var danger: String {
        reseed
            ? "the history goes on from the database of this host, and all other nodes are put back to that"
            : "a node that still writes can make two histories"
    }

    func run() async throws {
        try await NodeExit.run {
            let configuration = try node.loadQuietly()
            let logger = try LogSettings.quietLogger()
            try consent.ask(danger)
            let way: ClusterRepairWay = recreateLease ? .recreateLease : .reseed
            let lease = try await StopSignals.cancel {
                try await Commands.clusterRepair(way, configuration, logger: logger)
            }
            StandardStreams.output(
                "A new lease is there: epoch \(lease.epoch), free, behind transaction "
                    + "\(TransactionNumber.text(lease.head.number)). \(Consent.next)"
            )
        }
    }
}

/// That somebody knows what a command does.
struct Consent: ParsableArguments {
    @Flag(name: .both("yes"), help: "All nodes are stopped, and this is to be done: do not ask.")
    var yes = false

    /// What is to be done once the lease is right.
    static let next =
        "Start the nodes again, this host's first; one that has halted and still runs elsewhere joins by itself.\n"

    /// Without a terminal nobody can be asked.
    ///
    /// - Parameter danger: What is to be known.
    func validate(_ danger: String) throws {
        guard yes || Terminal.isTerminal(0) else {
            throw ValidationError("Nothing was changed: \(danger). Stop all nodes, then give -yes.")
        }
    }

    /// Asks on the terminal, unless all is said.
    func ask(_ danger: String) throws {
        guard !yes else { return }
        StandardStreams.error("Are all nodes stopped? \(danger.prefix(1).uppercased())\(danger.dropFirst()).\n")
        StandardStreams.error("Type 'yes' to go on: ")
        guard readLine() == "yes" else { throw ValidationError("Nothing was changed.") }
    }
}
