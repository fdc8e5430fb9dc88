import ArgumentParser
import Cluster
import SQLiteReplicate

/// `cluster`: what lies in the store.
struct ClusterCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "cluster",
        abstract: "Plan a cluster, begin it, look at it, or repair it.",
        discussion: NodeExit.discussion,
        subcommands: [
            ClusterPlanCommand.self, ClusterInitCommand.self, ClusterStatusCommand.self, ClusterAdoptCommand.self,
            ClusterRepairCommand.self,
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

            With 'peer-store' it looks at both stores and at the witness before anything is written: that they are two, can \
            fence, and belong to no other cluster. What lies in them may stay. It may be run again where it was cut off.

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

            With 'peer-store' it reads the lease of the witness and both stores, and says of each what of the history it \
            holds. Where people have to do something it says what, and ends with 5.

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
            let output = try await StopSignals.cancel {
                if let two = try await Commands.twoStoreStatus(configuration, logger: logger) {
                    return ClusterOutput(two)
                }
                let place = configuration.databases.first?.replica.displayName ?? ""
                return ClusterOutput(try await Commands.clusterStatus(configuration, logger: logger), place: place)
            }
            if json { try JSONOutput.write(output.document) } else { StandardStreams.output(output.text) }
            guard let trouble = output.trouble else { return }
            StandardStreams.error("Error: \(trouble.words)\n")
            throw ExitCode(trouble.code)
        }
    }
}
