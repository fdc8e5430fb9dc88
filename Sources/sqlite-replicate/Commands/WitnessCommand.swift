import ArgumentParser
import SQLiteReplicate
import SystemPackage

/// `witness`: the third place of a cluster whose hosts have a store each.
struct WitnessCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "witness",
        abstract: "Hold, for clusters whose hosts have a store each, who may write; or look at such a witness.",
        discussion: NodeExit.discussion,
        subcommands: [WitnessServeCommand.self, WitnessStatusCommand.self],
        defaultSubcommand: WitnessServeCommand.self
    )
}

/// `witness serve`: runs one.
struct WitnessServeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "serve",
        abstract: "Run a witness: one small cell for each cluster, changed by compare-and-swap over HTTP.",
        discussion: """
            It belongs on a third host, or at least not on one of the two that it watches over. One witness is enough for \
            many clusters; it holds none of their data. The file is durable at each answer, and is never replaced by an \
            older copy of itself: see the documentation, 'When the file is lost'.

            On SIGTERM or SIGINT it answers what it was asked, and ends with 0.

            \(NodeExit.discussion)
            """
    )

    @Option(
        name: .both("data"),
        help: ArgumentHelp("The file that holds the cells; made where there is none.", valueName: "path"),
        completion: .file()
    )
    var data: String

    @Option(
        name: .both("listen"),
        help: ArgumentHelp(
            "Where to answer: HOST:PORT, or :PORT for all addresses of the host. Others than this host need a token.",
            valueName: "address"
        )
    )
    var listen = "127.0.0.1:\(WitnessSettings.defaultPort)"

    @OptionGroup var access: TokenOptions

    @Option(
        name: .both("certificate"),
        help: ArgumentHelp(
            "Speak TLS: the file of the certificate and those behind it, in PEM form.",
            valueName: "path"
        ),
        completion: .file()
    )
    var certificate: String?

    @Option(
        name: .both("key"),
        help: ArgumentHelp("The file of the certificate's key, in PEM form.", valueName: "path"),
        completion: .file()
    )
    var key: String?

    @Option(
        name: .both("log-level"),
        help: ArgumentHelp(
            "trace, debug, info, warn or error (default: the environment's LOG_LEVEL, else info).",
            valueName: "level"
        )
    )
    var logLevel: String?

    func validate() throws {
        guard !data.isEmpty else { throw ValidationError("-data must name a file.") }
        guard (certificate == nil) == (key == nil) else {
            throw ValidationError("-certificate and -key belong together: give both, or neither.")
        }
        guard ListenAddress(listen) != nil else {
            throw ValidationError("-listen must be HOST:PORT, [IPV6]:PORT or :PORT, not '\(listen)'.")
        }
        _ = try LogSettings.level(named: logLevel)
    }

    func run() async throws {
        try await NodeExit.run {
            let settings = try await settings()
            let logger = try LogSettings.logger(LoggingConfiguration(), level: logLevel)
            MemoryTuning.trimAfterStart(sparingly: true)
            try await StopSignals.shutDownGracefully(logger: logger) {
                try await Commands.runWitness(settings, logger: logger)
            }
        }
    }

    /// What the flags ask for.
    private func settings() async throws -> WitnessSettings {
        var settings = WitnessSettings(data: FilePath(data))
        if let address = ListenAddress(listen) { settings.listen = address }
        settings.token = try await access.token
        settings.version = ProgramVersion.number
        if let certificate, let key {
            settings.certificate = .init(certificate: FilePath(certificate), key: FilePath(key))
        }
        try settings.validate()
        return settings
    }
}

/// `witness status`: looks at one.
struct WitnessStatusCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "status",
        abstract: "Show what a witness holds, and whether it works.",
        discussion: """
            A store in its place, s3://BUCKET/PATH or file:///PATH, is probed, which writes a few small objects and removes \
            them: one that ignores conditions cannot be a witness (exit code 3). A witness that does not take the token ends \
            it with 4.

            \(NodeExit.discussion)
            """
    )

    @Argument(help: ArgumentHelp("The witness: http(s)://HOST:PORT, or a store.", valueName: "url"))
    var url: String

    @OptionGroup var access: TokenOptions

    @Option(
        name: .both("certificate-authorities"),
        help: ArgumentHelp("A file of certificates in PEM form to trust instead of the system's.", valueName: "path"),
        completion: .file()
    )
    var authorities: String?

    @Flag(name: .both("json"), help: "Write it as JSON.")
    var json = false

    func run() async throws {
        try await NodeExit.run {
            let place = try WitnessPlace(url)
            let access = WitnessAccess(
                token: try await access.token,
                certificateAuthorities: authorities.map { FilePath($0) }
            )
            let logger = try LogSettings.quietLogger()
            let report = try await StopSignals.cancel {
                try await Commands.witnessStatus(of: place, access, logger: logger)
            }
            let output = WitnessOutput(report)
            if json { try JSONOutput.write(output.document) } else { StandardStreams.output(output.text) }
            guard let trouble = report.trouble else { return }
            StandardStreams.error("Error: \(trouble)\n")
            throw ExitCode(report.cannotFence ? NodeExit.unfitStore : 1)
        }
    }
}
