import ArgumentParser
import SQLiteReplicate
import SystemPackage

/// `restore`: brings a database back.
struct RestoreCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "restore",
        abstract: "Bring a database back from its replica: the latest state, a transaction, or a moment.",
        discussion: """
            Everything is checked on the way, written beside the output, and moved into place only when it is whole. An \
            output that exists is refused, unless it is empty, or -force is given.

            Where each of two hosts has a store, a configuration's database is restored from the store on this host: on the \
            primary's that is an earlier state. Restore on the other host, or name the other store's URL.

            Examples:
              sqlite-replicate restore /data/app.db
              sqlite-replicate restore -timestamp 2026-01-02T15:04:05Z -o /tmp/app.db /data/app.db
              sqlite-replicate restore -o app.db s3://bucket/app
            """,
    )

    @Argument(
        help: ArgumentHelp(
            "A database of the configuration, a replica URL, or a replica's folder.",
            valueName: "database|replica"
        )
    )
    var argument: String

    @OptionGroup var file: ConfigurationOptions

    @Option(
        name: [.customShort("o"), .customLong("output")],
        help: ArgumentHelp("Where to restore to (default: the database's own path).", valueName: "path"),
        completion: .file(),
    )
    var output: String?

    @Option(
        name: .both("txid"),
        help: ArgumentHelp("The state after this transaction, in hexadecimal.", valueName: "txid")
    )
    var txid: String?

    @Option(
        name: .both("timestamp"),
        help: ArgumentHelp("The state before this moment, as 2026-01-02T15:04:05Z.", valueName: "time"),
    )
    var timestamp: String?

    @Option(name: .both("parallelism"), help: ArgumentHelp("How many requests go side by side.", valueName: "count"))
    var parallelism = 8

    @Flag(name: .both("if-db-not-exists"), help: "Do nothing, and succeed, if the output exists.")
    var ifDatabaseNotExists = false

    @Flag(name: .both("if-replica-exists"), help: "Do nothing, and succeed, if the replica holds nothing.")
    var ifReplicaExists = false

    @Flag(name: .both("dry-run"), help: "Show what would be fetched, and write nothing.")
    var dryRun = false

    @Flag(name: .both("force"), help: "Replace an output that exists, with its -wal, -shm and -journal.")
    var force = false

    @Flag(name: .both("json"), help: "Write the result as JSON.")
    var json = false

    @Option(
        name: .both("integrity-check"),
        help: ArgumentHelp("Let SQLite check the result: none, quick or full.", valueName: "mode"),
    )
    var integrityCheck = "none"

    @Flag(name: [.customShort("f"), .customLong("follow"), .customLong("follow", withSingleDash: true)], help: .hidden)
    var follow = false

    @Option(name: .both("follow-interval"), help: .hidden)
    var followInterval: String?

    func validate() throws {
        guard !follow, followInterval == nil else {
            throw ValidationError("Following (-f) is not served yet: restore again when a newer state is needed.")
        }
        guard txid == nil || timestamp == nil else { throw ValidationError("-txid and -timestamp exclude each other.") }
        if let txid, TransactionNumber.parse(txid) == nil {
            throw ValidationError("-txid must be up to 16 hexadecimal digits, not zero: '\(txid)'.")
        }
        if let timestamp, Commands.milliseconds(rfc3339: timestamp) == nil {
            throw ValidationError(
                "-timestamp must be a time such as 2026-01-02T15:04:05Z or 2026-01-02T15:04:05.25+01:00, not '\(timestamp)'."
            )
        }
        guard (1...1000).contains(parallelism) else {
            throw ValidationError("-parallelism must lie between 1 and 1000.")
        }
        guard RestoreRequest.IntegrityCheck(rawValue: integrityCheck) != nil else {
            throw ValidationError("-integrity-check must be none, quick or full, not '\(integrityCheck)'.")
        }
        guard output != "" else { throw ValidationError("-o must not be empty.") }
    }

    func run() async throws {
        let target = try ReplicaTarget(argument, source: file.source)
        WarningOutput.write(target.warnings)
        guard let path = output.map({ FilePath($0) }) ?? target.database else {
            throw ValidationError("Name the output with -o: a replica does not say where its database was.")
        }
        let request = request(target, path)
        let progress = ProgressPrinter(label: path.lastComponent?.string ?? "restore")
        let logger = try LogSettings.quietLogger()
        let answer = try await StopSignals.cancel {
            defer { progress.finish() }
            return try await Commands.restore(request, logger: logger) { progress.update($0) }
        }
        try RestoreAnswerOutput(request: request, source: argument, isJSON: json).write(answer)
    }

    private func request(_ target: ReplicaTarget, _ path: FilePath) -> RestoreRequest {
        var request = RestoreRequest(replica: target.replica, output: path)
        request.txid = txid.flatMap(TransactionNumber.parse)
        request.timestampMilliseconds = timestamp.flatMap(Commands.milliseconds(rfc3339:))
        (request.parallelism, request.force, request.isDryRun) = (parallelism, force, dryRun)
        (request.ifDatabaseNotExists, request.ifReplicaExists) = (ifDatabaseNotExists, ifReplicaExists)
        request.integrityCheck = RestoreRequest.IntegrityCheck(rawValue: integrityCheck) ?? .none
        return request
    }
}
