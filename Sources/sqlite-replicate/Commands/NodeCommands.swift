import ArgumentParser
import Cluster
import SQLiteReplicate

/// `promote`: makes the node of this host primary.
struct PromoteCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "promote",
        abstract: "Make this host's node the primary, where nobody else is.",
        discussion: """
            Waits until it has opened for writing. Where another node is primary and alive it is refused (exit code 4): \
            hand over with 'switchover' there. A node that was demoted takes part again.

            Where two hosts have a store each and no witness, nobody takes over on silence: -peer-is-down is the word for \
            it. It asks what this host cannot know; a wrong answer makes two writers, and the older one's commits a tail.

            \(NodeExit.discussion)
            """,
    )

    @OptionGroup var node: RunningNodeOptions

    @Flag(
        name: .both("accept-loss"),
        help: "Also where this node is not known to have everything that was replicated."
    )
    var acceptLoss = false

    @Flag(
        name: .both("peer-is-down"),
        help: "Two hosts without a witness: take over from the other one, which is down for certain."
    )
    var peerIsDown = false

    @Option(
        name: .both("yes"),
        help: ArgumentHelp(
            "The answer yes to a question of -peer-is-down, by its name; once for each. Without it they are asked.",
            valueName: "question"
        )
    )
    var yes: [String] = []

    func validate() throws {
        guard peerIsDown || yes.isEmpty else { throw ValidationError("-yes answers what -peer-is-down asks.") }
        guard !peerIsDown || !acceptLoss else {
            throw ValidationError("-peer-is-down is for two hosts without a witness, where -accept-loss is not.")
        }
        for name in yes where PairQuestion(rawValue: name) == nil {
            let names = PairQuestion.allCases.map(\.rawValue).joined(separator: ", ")
            throw ValidationError("-yes '\(name)' is no question: they are \(names).")
        }
    }

    private func promotePeerIsDown(_ client: NodeClient, at url: String) async throws {
        var answers = Set(yes.compactMap { PairQuestion(rawValue: $0) })
        while true {
            do {
                return try await client.perform(.promotePeerIsDown(answers), at: url, within: .seconds(120))
            } catch let error as NodeCommandError {
                let open = PairQuestion.allCases.filter { error.message.contains($0.rawValue) && !answers.contains($0) }
                guard error.code == .needsOperator, !open.isEmpty, Terminal.isTerminal(0) else { throw error }
                StandardStreams.output("\(error.message)\n")
                for question in open {
                    StandardStreams.output("\(question.text) [yes/no] ")
                    guard readLine() == "yes" else { throw error }
                    answers.insert(question)
                }
            }
        }
    }

    func run() async throws {
        try await NodeExit.run {
            let (url, client) = try node.client()
            if peerIsDown {
                try await promotePeerIsDown(client, at: url)
            } else {
                try await client.perform(.promote(acceptLoss: acceptLoss), at: url, within: .seconds(120))
            }
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
