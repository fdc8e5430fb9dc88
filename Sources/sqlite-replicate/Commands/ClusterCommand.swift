import ArgumentParser
import Cluster
import SQLiteReplicate

/// `cluster`: what lies in the store.
struct ClusterCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "cluster",
        abstract: "Begin a cluster, look at it, or repair it.",
        discussion: NodeExit.discussion,
        subcommands: [
            ClusterInitCommand.self, ClusterStatusCommand.self, ClusterAdoptCommand.self, ClusterRepairCommand.self,
        ],
    )

    /// No subcommand is wrong usage.
    func run() async throws {
        StandardStreams.error(Program.helpMessage(for: Self.self) + "\n")
        throw ExitCode(NodeExit.usage)
    }
}

/// `cluster init`: begins one.
struct ClusterInitCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "init",
        abstract: "Begin a cluster in the replica's store, with the database of this host.",
        discussion: """
            'service' does the same by itself. First it finds out whether the store honours conditional writes; one that \
            does not cannot fence (exit code 3). Where there is a cluster it says so, changes nothing, and ends with 0. \
            Stop 'replicate' before.

            \(NodeExit.discussion)
            """,
    )

    @OptionGroup var node: NodeOptions

    func run() async throws {
        try await NodeExit.run {
            let configuration = try node.loadQuietly()
            let logger = try LogSettings.quietLogger()
            let answer = try await StopSignals.cancel { try await Commands.clusterInit(configuration, logger: logger) }
            switch answer {
            case .begun(let lease):
                StandardStreams.output(
                    "Cluster \(lease.cluster) begins behind transaction \(TransactionNumber.text(lease.begin)). Start "
                        + "this host's node with 'service', others with 'standby'.\n"
                )
            case .present(let lease):
                StandardStreams.output(
                    "There is a cluster: \(lease.cluster), epoch \(lease.epoch), \(ClusterOutput.state(lease)).\n"
                )
            }
        }
    }
}

/// `cluster status`: shows one.
struct ClusterStatusCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "status",
        abstract: "Show the lease, the nodes and the last epochs of a cluster, as its store tells.",
        discussion: """
            Positions are those that the nodes have written down, once a minute; 'written' is the time of that by the \
            store's clock. Without a lease it ends with 1.

            \(NodeExit.discussion)
            """,
    )

    @OptionGroup var node: NodeOptions

    @Flag(name: .both("json"), help: "Write it as JSON.")
    var json = false

    func run() async throws {
        try await NodeExit.run {
            let configuration = try node.loadQuietly()
            let logger = try LogSettings.quietLogger()
            let survey = try await StopSignals.cancel {
                try await Commands.clusterStatus(configuration, logger: logger)
            }
            let place = configuration.databases.first?.replica.displayName ?? ""
            let output = ClusterOutput(survey, place: place)
            if json { try JSONOutput.write(output.document) } else { StandardStreams.output(output.text) }
            guard let trouble = output.trouble else { return }
            StandardStreams.error("Error: \(trouble.words)\n")
            throw ExitCode(trouble.code)
        }
    }
}

/// `cluster adopt`: goes on behind what another program has written.
struct ClusterAdoptCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "adopt",
        abstract: "Take over files that another program has written among those of a cluster.",
        discussion: """
            For nodes that have halted because of such a file. Stop that program and all nodes first, then give -yes, then \
            start the nodes again, the one with the right database first. What the other program has written becomes part \
            of the history.

            \(NodeExit.discussion)
            """,
    )

    @OptionGroup var node: NodeOptions
    @OptionGroup var consent: Consent

    func validate() throws { try consent.validate("files of other programs become part of the history") }

    func run() async throws {
        try await NodeExit.run {
            let configuration = try node.loadQuietly()
            let logger = try LogSettings.quietLogger()
            let lease = try await StopSignals.cancel { try await Commands.clusterAdopt(configuration, logger: logger) }
            guard let lease else { return StandardStreams.output("Nothing is there to be taken over.\n") }
            StandardStreams.output(
                "Everything up to transaction \(TransactionNumber.text(lease.begin)) is taken over. Start the nodes now.\n"
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
            the host of a node that has taken part, with -yes; with -reseed on the host with the newest database. Then \
            start the nodes, that one first.

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
        try consent.validate("a node that still writes can make two histories")
    }

    func run() async throws {
        try await NodeExit.run {
            let configuration = try node.loadQuietly()
            let logger = try LogSettings.quietLogger()
            let way: ClusterRepairWay = recreateLease ? .recreateLease : .reseed
            let lease = try await StopSignals.cancel {
                try await Commands.clusterRepair(way, configuration, logger: logger)
            }
            StandardStreams.output(
                "A new lease is there: epoch \(lease.epoch), free, behind transaction "
                    + "\(TransactionNumber.text(lease.head.number)). Start this host's node first.\n"
            )
        }
    }
}

/// That somebody knows what a command does.
struct Consent: ParsableArguments {
    @Flag(name: .both("yes"), help: "All nodes are stopped, and this is to be done.")
    var yes = false

    /// - Parameter danger: What is to be known.
    func validate(_ danger: String) throws {
        guard yes else {
            throw ValidationError("Nothing was changed: \(danger). Stop all nodes, then give -yes.")
        }
    }
}
