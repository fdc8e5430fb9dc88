import ArgumentParser
import Cluster
import ObjectStorage
import SQLiteReplicate
import SystemPackage

/// `tail`: commits that only a fenced node held.
struct TailCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "tail",
        abstract: "Look at commits that a failover left behind, take them out, and acknowledge them.",
        discussion: """
            What a primary had committed and not replicated when another node took over is kept as a tail: it is in no \
            node's database any more. Tails are kept until somebody has acknowledged them, and for 30 days at least. A \
            tail is named by its id, or NODE/ID where several nodes have one of that id. Where each of two hosts has a store \
            they are in that of the host, and on its disk.

            \(NodeExit.discussion)
            """,
        subcommands: [
            TailListCommand.self, TailShowCommand.self, TailExportCommand.self, TailAcknowledgeCommand.self,
        ],
    )

    /// No subcommand is wrong usage.
    func run() async throws {
        StandardStreams.error(Program.helpMessage(for: Self.self) + "\n")
        throw ExitCode(NodeExit.usage)
    }
}

/// Names a tail.
struct TailArgument: ParsableArguments {
    @Argument(help: ArgumentHelp("The tail's id, as 'tail list' shows it.", valueName: "tail"))
    var name: String

    @OptionGroup var file: ConfigurationOptions

    var reference: TailReference {
        get throws {
            guard let reference = TailReference(name) else {
                throw ValidationError("'\(name)' names no tail: copy an id from 'tail list'.")
            }
            return reference
        }
    }

    func validate() throws { _ = try reference }
}

/// `tail list`: shows all tails.
struct TailListCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list",
        abstract: "Show the tails of all nodes, in the store and on this host.",
        discussion: NodeExit.discussion,
    )

    @OptionGroup var file: ConfigurationOptions

    @Flag(name: .both("json"), help: "Write them as JSON.")
    var json = false

    func run() async throws {
        try await NodeExit.run {
            let (tails, _) = try Commands.tails(try file.source.load().configuration, logger: LogSettings.quietLogger())
            let entries = try await StopSignals.cancel { try await tails.list() }
            if json { return try JSONOutput.write(entries.map(TailOutput.init)) }
            guard !entries.isEmpty else { return StandardStreams.output("There are no tails.\n") }
            var table = TextTable("tail", "node", "kept", "transactions", "pages", "where", "acknowledged")
            for entry in entries {
                let output = TailOutput(entry)
                table.add(
                    output.id,
                    output.name ?? output.node ?? "",
                    output.kept ?? "",
                    output.transactions.map { "\($0)" } ?? "?",
                    output.pages.map { "\($0)" } ?? "?",
                    output.isStored ? "store" : "this host",
                    output.problem ?? output.acknowledgedBy ?? "no"
                )
            }
            StandardStreams.output(table.text)
        }
    }
}

/// `tail show`: what is known of one.
struct TailShowCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "show",
        abstract: "Show what is known of a tail, as JSON.",
        discussion: NodeExit.discussion,
    )

    @OptionGroup var tail: TailArgument

    func run() async throws {
        try await NodeExit.run {
            let configuration = try tail.file.source.load().configuration
            let (tails, _) = try Commands.tails(configuration, logger: LogSettings.quietLogger())
            let reference = try tail.reference
            let manifest = try await StopSignals.cancel { try await tails.show(reference) }
            StandardStreams.output(String(decoding: manifest.encoded, as: UTF8.self) + "\n")
        }
    }
}

/// `tail export`: takes one out.
struct TailExportCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "export",
        abstract: "Put a tail's files into a folder, with a database that holds its commits.",
        discussion: """
            The folder must not exist. 'tail.db' in it is the database as the fenced node had it: compare it with the \
            present one, and enter again what is missing.

            \(NodeExit.discussion)
            """,
    )

    @OptionGroup var tail: TailArgument

    @Option(
        name: [.customShort("o"), .customLong("output")],
        help: ArgumentHelp("The folder to make.", valueName: "folder")
    )
    var output: String

    func run() async throws {
        try await NodeExit.run {
            let configuration = try tail.file.source.load().configuration
            let logger = try LogSettings.quietLogger()
            let (reference, folder) = (try tail.reference, FilePath(output))
            let (manifest, problem) = try await StopSignals.cancel {
                try await Commands.exportTail(reference, to: folder, configuration, logger: logger)
            }
            let what = problem.map { "without a database: \($0)" } ?? "with tail.db"
            StandardStreams.output("\(manifest.files.count) files of \(manifest.id) in \(folder), \(what)\n")
        }
    }
}

/// `tail ack`: says that one is needed no more.
struct TailAcknowledgeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "ack",
        abstract: "Say that somebody has looked at a tail and needs it no more.",
        discussion: "The node is not degraded by it any more; the tail goes after 30 days.\n\n\(NodeExit.discussion)",
    )

    @OptionGroup var tail: TailArgument

    @Option(name: .both("by"), help: ArgumentHelp("Who says so (default: the user of this shell).", valueName: "name"))
    var person: String?

    func run() async throws {
        try await NodeExit.run {
            let configuration = try tail.file.source.load().configuration
            let (tails, _) = try Commands.tails(configuration, logger: LogSettings.quietLogger())
            let reference = try tail.reference
            let name = person ?? UserName.current
            let manifest = try await StopSignals.cancel { try await tails.acknowledge(reference, by: name) }
            StandardStreams.output("\(manifest.id) is acknowledged by \(manifest.acknowledged?.person ?? name).\n")
        }
    }
}

/// A tail in a listing.
struct TailOutput: Encodable {
    let id: String
    let node: String?
    let name: String?
    let kept: String?
    let transactions: UInt64?
    let pages: Int?
    let tables: [String]?
    let isStored: Bool
    let isLocal: Bool
    let acknowledgedBy: String?
    let problem: String?

    init(_ entry: TailEntry) {
        let manifest = entry.manifest
        (id, node, name) = ("\(entry.id)", entry.node.map { "\($0)" }, manifest?.nodeName)
        (kept, transactions, pages) = (manifest?.kept.shortText, manifest?.transactionCount, manifest?.pageCount)
        tables = manifest?.tables.tables.map(\.name)
        (isStored, isLocal, problem) = (entry.isStored, entry.isLocal, entry.problem)
        acknowledgedBy = manifest?.acknowledged?.person
    }
}
