public import SystemPackage

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

/// Which configuration file a command reads.
public struct ConfigurationSource: Hashable, Sendable {
    /// The file; `nil` for the default one (see ``ConfigurationFile/defaultPath(environment:)``).
    public var path: FilePath?
    /// Whether `$NAME` and `${NAME}` are replaced.
    public var expandEnvironment: Bool

    /// Creates a source.
    public init(path: FilePath? = nil, expandEnvironment: Bool = true) {
        (self.path, self.expandEnvironment) = (path, expandEnvironment)
    }

    /// Reads the file.
    public func load(environment: [String: String]? = nil) throws(ConfigurationError) -> ConfigurationFile {
        try ConfigurationFile.load(
            path: path ?? ConfigurationFile.defaultPath(environment: environment),
            expandEnvironment: expandEnvironment,
            environment: environment,
        )
    }
}

/// The replica that an argument of the command line means: a URL, a database of the configuration, or a folder.
public struct ReplicaTarget: Sendable {
    /// The argument as it was given.
    public var argument: String
    /// The database, where the argument names one of the configuration.
    public var database: FilePath?
    /// The replica.
    public var replica: ReplicaConfiguration
    /// What the configuration's owner should know.
    public var warnings: [ConfigurationWarning] = []

    /// Finds the replica that an argument means.
    ///
    /// `s3://…` and `file://…` are replicas; a configuration file must not be named with them. Anything else is the
    /// path of a database that the configuration lists, or where no file is named and none lists it, of a folder.
    ///
    /// - Parameters:
    ///   - argument: The argument.
    ///   - source: The configuration to look the database up in.
    ///   - environment: The variables; `nil` for the process's own.
    /// - Throws: ``ConfigurationError``.
    public init(
        _ argument: String,
        source: ConfigurationSource,
        environment: [String: String]? = nil
    ) throws(ConfigurationError) {
        self.argument = argument
        let environment = environment ?? ProcessInfo.processInfo.environment
        let scheme = Endpoint.scheme(of: argument)
        if scheme != nil, scheme != "sqlite", scheme != "sqlite3" {
            guard source.path == nil else {
                throw ConfigurationError(
                    .conflict,
                    "a replica URL and -config exclude each other: name the database instead of the URL, or leave -config out"
                )
            }
            replica = try ReplicaConfiguration(argument: argument, environment: environment)
            return
        }
        let paths = PathText(home: environment["HOME"], workingDirectory: FileManager.default.currentDirectoryPath)
        let path: FilePath
        do {
            path = try paths.absoluteDatabase(argument)
        } catch {
            throw ConfigurationError(.invalidValue, "\(argument) begins with '~', and HOME is not set")
        }
        let file: ConfigurationFile
        do {
            file = try source.load(environment: environment)
        } catch {
            guard error.code == .fileNotFound, source.path == nil else { throw error }
            replica = try Self.folder(path, otherwise: error)
            return
        }
        warnings = file.warnings
        if let found = file.configuration.databases.first(where: { $0.path == path }) {
            (database, replica) = (path, found.replica)
            return
        }
        let error = ConfigurationError(
            .missingKey,
            "database not found in \(file.path): \(path): the 'databases' command lists those that are there"
        )
        guard source.path == nil else { throw error }
        replica = try Self.folder(path, otherwise: error)
    }

    private static func folder(
        _ path: FilePath,
        otherwise error: ConfigurationError
    ) throws(ConfigurationError) -> ReplicaConfiguration {
        var isFolder = false
        guard FileManager.default.fileExists(atPath: path.string, isDirectory: &isFolder), isFolder else {
            guard error.code == .fileNotFound else { throw error }
            throw ConfigurationError(
                .fileNotFound,
                "\(path) is no folder with a replica, and there is no configuration file that lists it as a database: "
                    + "name one with -config PATH, or a replica as s3://BUCKET/PATH or file:///PATH"
            )
        }
        return .folder(path)
    }
}
