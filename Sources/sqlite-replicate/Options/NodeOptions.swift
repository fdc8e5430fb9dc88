import ArgumentParser
import SQLiteReplicate

/// Which cluster a command is about: that of the configuration file, or of a database and its replica.
struct NodeOptions: ParsableArguments {
    @Argument(
        help: ArgumentHelp(
            "The database and its replica, instead of a configuration file.",
            valueName: "database replica"
        )
    )
    var arguments: [String] = []

    @OptionGroup var file: ConfigurationOptions

    func validate() throws {
        switch arguments.count {
        case 0, 2: break
        case 1: throw ValidationError("Name the replica of \(arguments[0]) too: s3://BUCKET/PATH or file:///PATH.")
        default: throw ValidationError("Name one database and one replica, not \(arguments.count) things.")
        }
        if !arguments.isEmpty, file.config != nil {
            throw ValidationError("A database with its replica and -config exclude each other.")
        }
    }

    /// The configuration, and what its owner should know. Arguments make a cluster with all defaults.
    func load() throws(ConfigurationError) -> (ReplicationConfiguration, [ConfigurationWarning]) {
        guard arguments.count == 2 else {
            let loaded = try file.source.load()
            return (loaded.configuration, loaded.warnings)
        }
        var configuration = ReplicationConfiguration()
        configuration.databases = [try DatabaseConfiguration(argument: arguments[0], replica: arguments[1])]
        configuration.cluster = ClusterConfiguration()
        try configuration.validate()
        return (configuration, [])
    }

    /// The configuration of a command with a result; warnings go to standard error.
    func loadQuietly() throws(ConfigurationError) -> ReplicationConfiguration {
        let (configuration, warnings) = try load()
        WarningOutput.write(warnings)
        return configuration
    }
}

/// Which running node a command speaks to.
struct RunningNodeOptions: ParsableArguments {
    @OptionGroup var file: ConfigurationOptions

    @Option(
        name: .both("url"),
        help: ArgumentHelp(
            "The node's address (default: where the configuration's node listens on this host).",
            valueName: "url"
        )
    )
    var url: String?

    /// The node's address, and a client that it knows.
    func client() throws(ConfigurationError) -> (url: String, client: NodeClient) {
        // A node without a configuration file has no token either.
        if let url, file.config == nil, (try? file.source.load()) == nil { return (url, NodeClient()) }
        let loaded = try file.source.load()
        WarningOutput.write(loaded.warnings)
        guard let cluster = loaded.configuration.cluster else {
            throw ConfigurationError(.missingKey, "\(loaded.path) has no 'cluster': it is of no node")
        }
        return (url ?? cluster.localURL, NodeClient(token: cluster.token))
    }
}
