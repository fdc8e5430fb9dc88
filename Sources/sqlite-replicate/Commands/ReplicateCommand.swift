import ArgumentParser
import Logging
import SQLiteReplicate
import SystemPackage
import UnixSignals

/// `replicate`: ships changes until it is told to stop.
struct ReplicateCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "replicate",
        abstract: "Ship every committed change of databases to their replicas.",
        usage: """
            sqlite-replicate replicate [-config <path>] [<flags>]
            sqlite-replicate replicate [<flags>] <database> <replica>
            """,
        discussion: """
            The databases are those of the configuration file, or one that is named with its replica: \
            s3://BUCKET/PATH, file:///PATH, or a folder.

            On SIGTERM or SIGINT it ships what is left and ends: with 0 if all of it was shipped within \
            shutdown-sync-timeout, else with 1. A second signal ends it at once (128 and the signal's number).

            The program of -exec, or of 'exec' in the file, is started once the databases are captured. It gets the signal \
            too, and what it writes until it ends is shipped. When it ends by itself, replicate ships what is left and ends \
            with its exit code; when replication fails, it gets SIGTERM, and SIGKILL 10 seconds later.
            """,
    )

    @Argument(help: ArgumentHelp("A database and its replica, instead of a configuration file.", valueName: "database"))
    var arguments: [String] = []

    @OptionGroup var file: ConfigurationOptions

    @Flag(name: .both("once"), help: "Ship what there is, once, and end.")
    var once = false

    @Flag(name: .both("force-snapshot"), help: "Make a snapshot of every database (with -once).")
    var forceSnapshot = false

    @Flag(name: .both("enforce-retention"), help: "Delete what is past its retention (with -once).")
    var enforceRetention = false

    @Flag(name: .both("restore-if-db-not-exists"), help: "Restore each database first that has no file yet.")
    var restoreIfDatabaseNotExists = false

    @Option(
        name: .both("log-level"),
        help: ArgumentHelp(
            "trace, debug, info, warn or error (default: the environment's LOG_LEVEL, else the configuration).",
            valueName: "level",
        ),
    )
    var logLevel: String?

    @Option(
        name: .both("exec"),
        help: ArgumentHelp("Run a program as a child, and end with it; not with -once.", valueName: "command"),
    )
    var exec: String?

    func validate() throws {
        guard exec == nil || !once else { throw ValidationError("-exec and -once exclude each other.") }
        guard once || !forceSnapshot else { throw ValidationError("-force-snapshot needs -once.") }
        guard once || !enforceRetention else { throw ValidationError("-enforce-retention needs -once.") }
        switch arguments.count {
        case 0, 2: break
        case 1: throw ValidationError("Name the replica of \(arguments[0]) too: s3://BUCKET/PATH or file:///PATH.")
        default: throw ValidationError("Several replicas are not served yet: name one database and one replica.")
        }
        if !arguments.isEmpty, file.config != nil {
            throw ValidationError("A database with its replica and -config exclude each other.")
        }
        _ = try LogSettings.level(named: logLevel)
    }

    func run() async throws {
        let (configuration, warnings) = try configured()
        let logger = try LogSettings.logger(configuration.logging, level: logLevel)
        for warning in warnings {
            logger.warning(
                "Configuration",
                metadata: ["place": "\(warning.location?.description ?? "")", "warning": "\(warning.message)"]
            )
        }
        var options = ReplicateOptions()
        (options.isOnce, options.forcesSnapshot, options.enforcesRetention) = (once, forceSnapshot, enforceRetention)
        if !once { MemoryTuning.trimAfterStart() }
        let received = ReceivedSignal()
        let outcome = try await StopSignals.shutDownGracefully(logger: logger, received: received) { [options] in
            try await Commands.replicate(
                configuration,
                options: options,
                stopSignal: { (received.signal ?? .sigterm).rawValue },
                logger: logger
            )
        }
        if let code = outcome.programExitCode, code != 0 { throw ExitCode(code) }
        guard outcome.isEverythingShipped else { throw ExitCode.failure }
    }

    /// The configuration that file or arguments ask for.
    private func configured() throws(ConfigurationError) -> (ReplicationConfiguration, [ConfigurationWarning]) {
        var (configuration, warnings) = (ReplicationConfiguration(), [ConfigurationWarning]())
        if arguments.count == 2 {
            configuration.databases = [try DatabaseConfiguration(argument: arguments[0], replica: arguments[1])]
        } else {
            let loaded = try file.source.load()
            (configuration, warnings) = (loaded.configuration, loaded.warnings)
        }
        if let exec { configuration.exec = exec }
        try configuration.validate()
        if restoreIfDatabaseNotExists {
            for index in configuration.databases.indices {
                configuration.databases[index].restoreIfDatabaseNotExists = true
            }
        }
        return (configuration, warnings)
    }
}
