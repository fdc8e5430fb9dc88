import ArgumentParser
import Logging
import SQLiteReplicate

/// What runs in the process of a node.
struct PieceOptions: ParsableArguments {
    @Flag(name: .both("no-health"), help: "Do not answer over HTTP.")
    var noHealth = false

    @Flag(name: .both("no-writer"), help: "Do not write events.")
    var noWriter = false

    @Option(name: .both("name"), help: ArgumentHelp("The node's name (default: that of the host).", valueName: "name"))
    var name: String?

    @Option(
        name: .both("port"),
        help: ArgumentHelp("Answer over HTTP at this port (default: that of 'listen', 3000).", valueName: "number")
    )
    var port: Int?

    @Option(
        name: .both("log-level"),
        help: ArgumentHelp(
            "trace, debug, info, warn or error (default: the environment's LOG_LEVEL, else the configuration).",
            valueName: "level",
        ),
    )
    var logLevel: String?

    func validate() throws {
        if let port, !(0...65535).contains(port) {
            throw ValidationError("-port must be a number from 0 to 65535, not \(port).")
        }
        _ = try LogSettings.level(named: logLevel)
    }

    /// Puts the flags into a configuration.
    func apply(to configuration: inout ReplicationConfiguration) throws(ConfigurationError) {
        if noHealth { configuration.service.servesHealth = false }
        if noWriter { configuration.service.writes = false }
        if let port {
            configuration.service.port = port
            configuration.cluster?.listen.port = port
        }
        if let name {
            guard configuration.cluster != nil else {
                throw ConfigurationError(.missingKey, "-name is for a node of a 'cluster', which is not configured")
            }
            configuration.cluster?.name = name
        }
        try configuration.validate()
    }

    /// Runs what is asked for until it is told to stop.
    func run(
        _ configuration: ReplicationConfiguration,
        _ warnings: [ConfigurationWarning],
        as kind: NodeServices.Kind
    ) async throws {
        var configuration = configuration
        try apply(to: &configuration)
        let logger = try LogSettings.logger(configuration.logging, level: logLevel)
        for warning in warnings {
            logger.warning(
                "Configuration",
                metadata: ["place": "\(warning.location?.description ?? "")", "warning": "\(warning.message)"]
            )
        }
        MemoryTuning.trimAfterStart()
        try await StopSignals.shutDownGracefully(logger: logger) { [configuration] in
            try await Commands.runNode(configuration, as: kind, version: ProgramVersion.number, logger: logger)
        }
    }
}
