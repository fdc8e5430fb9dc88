import ArgumentParser
import SQLiteReplicate
import SystemPackage

/// The flags of every command that reads the configuration.
struct ConfigurationOptions: ParsableArguments {
    @Option(
        name: .both("config"),
        help: ArgumentHelp(
            "The configuration file (default: the environment's LITESTREAM_CONFIG, else /etc/litestream.yml).",
            valueName: "path",
        ),
        completion: .file(extensions: ["yml", "yaml"]),
    )
    var config: String?

    @Flag(name: .both("no-expand-env"), help: "Leave $NAME and ${NAME} in the configuration file as they are.")
    var noExpandEnv = false

    /// Which file to read, and how.
    var source: ConfigurationSource {
        ConfigurationSource(path: config.map { FilePath($0) }, expandEnvironment: !noExpandEnv)
    }
}
