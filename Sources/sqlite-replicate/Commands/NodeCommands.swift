import ArgumentParser
import SQLiteReplicate

/// `promote`: makes the node of this host primary.
struct PromoteCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "promote",
        abstract: "Make this host's node the primary, where nobody else is.",
        discussion: """
            Waits until it has opened for writing. Where another node is primary and alive it is refused (exit code 4): \
            hand over with 'switchover' there. A node that was demoted takes part again.

            \(NodeExit.discussion)
            """,
    )

    @OptionGroup var node: RunningNodeOptions

    @Flag(
        name: .both("accept-loss"),
        help: "Also where this node is not known to have everything that was replicated."
    )
    var acceptLoss = false

    func run() async throws {
        try await NodeExit.run {
            let (url, client) = try node.client()
            try await client.perform(.promote(acceptLoss: acceptLoss), at: url, within: .seconds(120))
            StandardStreams.output("This node is primary.\n")
        }
    }
}

/// `switchover`: hands the database over to another node.
struct SwitchoverCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "switchover",
        abstract: "Hand over from this host's node, the primary, to another one; nothing is lost.",
        discussion: """
            Ends with 0 once the other node has opened for writing. Where that takes longer than 'handoff' this node goes \
            on writing, and the command ends with 1.

            \(NodeExit.discussion)
            """,
    )

    @Option(
        name: .both("to"),
        help: ArgumentHelp("The other node's name or id; see 'cluster status'.", valueName: "node")
    )
    var to: String

    @OptionGroup var node: RunningNodeOptions

    func validate() throws {
        guard !to.isEmpty else { throw ValidationError("-to must name a node: see 'cluster status'.") }
    }

    func run() async throws {
        try await NodeExit.run {
            let (url, client) = try node.client()
            try await client.perform(.switchover(to: to), at: url, within: .seconds(300))
            StandardStreams.output("\(to) is primary.\n")
        }
    }
}

/// `demote`: takes the node of this host out.
struct DemoteCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "demote",
        abstract: "Let this host's node give up writing, and never take over until it is promoted.",
        discussion: "It goes on following.\n\n\(NodeExit.discussion)",
    )

    @OptionGroup var node: RunningNodeOptions

    func run() async throws {
        try await NodeExit.run {
            let (url, client) = try node.client()
            try await client.perform(.demote, at: url)
            StandardStreams.output("This node does not write, and takes over from nobody until 'promote'.\n")
        }
    }
}
