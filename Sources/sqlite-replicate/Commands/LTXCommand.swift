import ArgumentParser
import SQLiteReplicate

/// `ltx`: the files of a replica.
struct LTXCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "ltx",
        abstract: "List the transaction files of a replica.",
    )

    @OptionGroup var options: LTXOptions

    func run() async throws { try await options.list() }
}

/// `wal`: the name that `ltx` had in Litestream 0.3.
struct WALCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "wal",
        abstract: "The old name of 'ltx'.",
        shouldDisplay: false,
    )

    @OptionGroup var options: LTXOptions

    func run() async throws {
        StandardStreams.error("Warning: 'wal' is the old name of 'ltx': use that.\n")
        try await options.list()
    }
}

/// What `ltx` is asked.
struct LTXOptions: ParsableArguments {
    @Argument(
        help: ArgumentHelp(
            "A database of the configuration, a replica URL, or a replica's folder.",
            valueName: "database|replica"
        )
    )
    var argument: String

    @OptionGroup var file: ConfigurationOptions

    @Option(
        name: .both("level"),
        help: ArgumentHelp("A level from 0 to 9, where 9 is snapshots, or 'all'.", valueName: "level")
    )
    var level = "0"

    @Flag(name: .both("json"), help: "Write the list as JSON.")
    var json = false

    /// The levels that are asked for; `nil` for a text that is none.
    var levels: ClosedRange<Int>? {
        if level == "all" { return 0...9 }
        guard let number = Int(level), (0...9).contains(number) else { return nil }
        return number...number
    }

    func validate() throws {
        guard levels != nil else { throw ValidationError("-level must be 0 to 9, or all, not '\(level)'.") }
    }

    /// Lists the files.
    func list() async throws {
        let target = try ReplicaTarget(argument, source: file.source)
        WarningOutput.write(target.warnings)
        let logger = try LogSettings.quietLogger()
        let files = try await Commands.listFiles(target.replica, levels: levels ?? 0...9, logger: logger)
        let rows = files.map { FileRow($0, hasName: false) }
        if json { return try JSONOutput.write(rows) }
        var table = TextTable("level", "min_txid", "max_txid", "size", "created")
        for row in rows { table.add("\(row.level)", row.minTxid, row.maxTxid, "\(row.size)", row.timestamp) }
        StandardStreams.output(table.text)
    }
}
