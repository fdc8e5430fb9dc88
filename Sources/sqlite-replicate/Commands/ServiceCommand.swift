import ArgumentParser
import SQLiteReplicate

/// `service`: a node that has, or begins with, the database.
struct ServiceCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "service",
        abstract: "Run health, writer and replication in one process, as a node of a cluster.",
        usage: """
            sqlite-replicate service [-config <path>] [<flags>]
            sqlite-replicate service [<flags>] <database> <replica>
            """,
        discussion: """
            With 'cluster' in the configuration, or with a database and its replica as arguments, it takes part in a \
            cluster, and begins one where there is none. In a store that cannot fence it replicates without one, and \
            says so; of two stores ('peer-store') each must be able to. The writer puts the time into the table 'events' \
            while the node is primary.

            On SIGTERM or SIGINT it ships what is left, hands over, and ends with 0. A second signal ends it at once (128 \
            and the signal's number).

            \(NodeExit.discussion)
            """,
    )

    @OptionGroup var node: NodeOptions
    @OptionGroup var pieces: PieceOptions

    @Flag(name: .both("no-replication"), help: "Do not replicate; not in a cluster.")
    var noReplication = false

    func run() async throws {
        try await NodeExit.run {
            var (configuration, warnings) = try node.load()
            if noReplication {
                configuration.service.replicates = false
                if !node.arguments.isEmpty { configuration.cluster = nil }
            }
            try await pieces.run(configuration, warnings, as: .service)
        }
    }
}

/// `standby`: a node that follows.
struct StandbyCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "standby",
        abstract: "Follow the primary of a cluster, ready to take over.",
        usage: """
            sqlite-replicate standby [-config <path>] [<flags>]
            sqlite-replicate standby [<flags>] <database> <replica>
            """,
        discussion: """
            The database is restored if it is not there, and then follows, a commit at a time; any program may read it. \
            The node takes over when the primary lets go or is silent for longer than 'ttl', and starts then what \
            'post-failover' says. It never begins a cluster: it waits for one. In a store that cannot fence it follows, \
            and never takes over.

            On SIGTERM or SIGINT it ends with 0; a primary ships what is left and hands over before. A second signal ends \
            it at once (128 and the signal's number).

            \(NodeExit.discussion)
            """,
    )

    @OptionGroup var node: NodeOptions
    @OptionGroup var pieces: PieceOptions

    func run() async throws {
        try await NodeExit.run {
            let (configuration, warnings) = try node.load()
            try await pieces.run(configuration, warnings, as: .standby)
        }
    }
}
