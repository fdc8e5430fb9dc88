public import SystemPackage

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

/// A configuration file that was read: what it says, and what its owner should know.
///
/// The format is Litestream 0.5's `litestream.yml`, YAML 1.1. Keys that nobody knows are errors here, with the nearest
/// known one; keys of Litestream 0.3 do what they say, with a warning that names the successor.
public struct ConfigurationFile: Sendable {
    /// The file's path as it was given.
    public let path: FilePath
    /// What it says, checked.
    public let configuration: ReplicationConfiguration
    /// What its owner should know, in the order of the text; show them once, at the start.
    public let warnings: [ConfigurationWarning]

    /// The largest file that is read, in bytes.
    static let sizeLimit = 1 << 20

    /// The path where none is given: the environment's `LITESTREAM_CONFIG`, else `/etc/litestream.yml`.
    ///
    /// - Parameter environment: The variables; `nil` for the process's own.
    public static func defaultPath(environment: [String: String]? = nil) -> FilePath {
        let path = (environment ?? ProcessInfo.processInfo.environment)["LITESTREAM_CONFIG"] ?? ""
        return FilePath(path.isEmpty ? "/etc/litestream.yml" : path)
    }

    /// Reads and checks a configuration file.
    ///
    /// It reads one small file and may block for as long as that takes.
    ///
    /// - Parameters:
    ///   - path: The file; at most 1 MiB, UTF-8.
    ///   - expandEnvironment: Whether `$NAME` and `${NAME}` are replaced in the whole text before it is parsed.
    ///   - environment: The variables, `nil` for the process's own; `HOME` is also what `~` stands for.
    /// - Throws: ``ConfigurationError``; nearly always with the place.
    public static func load(
        path: FilePath,
        expandEnvironment: Bool = true,
        environment: [String: String]? = nil
    ) throws(ConfigurationError) -> ConfigurationFile {
        let text = try ConfigurationText.read(path)
        return try parse(
            text,
            path: path,
            expandEnvironment: expandEnvironment,
            environment: environment ?? ProcessInfo.processInfo.environment,
            workingDirectory: FileManager.default.currentDirectoryPath,
        )
    }

    /// Reads a configuration from its text.
    ///
    /// - Parameters:
    ///   - text: The text, UTF-8.
    ///   - path: The name that messages use.
    ///   - expandEnvironment: Whether variables are replaced.
    ///   - environment: The variables.
    ///   - workingDirectory: Where relative paths start from.
    static func parse(
        _ text: [UInt8],
        path: FilePath,
        expandEnvironment: Bool = true,
        environment: [String: String],
        workingDirectory: String
    ) throws(ConfigurationError) -> ConfigurationFile {
        let expansion = try ConfigurationText.expand(
            text,
            path: path,
            environment: expandEnvironment ? environment : nil
        )
        let paths = PathText(home: environment["HOME"], workingDirectory: workingDirectory)
        let document: YAMLText.Document
        do {
            document = try YAMLText.parse(expansion.expanded)
        } catch {
            let decoder = ConfigurationDecoder(file: path.string, expansion: expansion, paths: paths)
            let location = error.place.map { decoder.location(line: $0.line, column: $0.column) }
            throw ConfigurationError(.syntax, "not YAML: \(error.message)", location: location)
        }
        let decoder = ConfigurationDecoder(
            file: path.string,
            expansion: expansion,
            paths: paths,
            dropped: document.dropped
        )
        decoder.warnAboutExpansion()
        let configuration = try decoder.configuration(document.root)
        try configuration.validate(place: decoder.place(of:))
        return ConfigurationFile(path: path, configuration: configuration, warnings: decoder.sortedWarnings)
    }
}
