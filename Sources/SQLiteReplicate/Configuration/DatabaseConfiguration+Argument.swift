#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

extension DatabaseConfiguration {
    /// A database and its replica from two arguments of the command line, all else at its default.
    ///
    /// - Parameters:
    ///   - argument: The database's path; `~`, relative paths and `sqlite://` are understood.
    ///   - replica: `s3://BUCKET/PATH?…`, `file:///PATH`, or the path of a folder.
    ///   - environment: The variables, `nil` for the process's own; `HOME` is what `~` stands for.
    /// - Throws: ``ConfigurationError``.
    public init(
        argument: String,
        replica: String,
        environment: [String: String]? = nil
    ) throws(ConfigurationError) {
        let environment = environment ?? ProcessInfo.processInfo.environment
        let paths = PathText(home: environment["HOME"], workingDirectory: FileManager.default.currentDirectoryPath)
        guard !argument.isEmpty else { throw ConfigurationError(.invalidValue, "the database's path is empty") }
        if let scheme = Endpoint.scheme(of: argument), scheme != "sqlite", scheme != "sqlite3" {
            throw ConfigurationError(.invalidValue, "the database comes first, then its replica: \(scheme):// is none")
        }
        do {
            self.init(
                path: try paths.absoluteDatabase(argument),
                replica: try ReplicaConfiguration(argument: replica, environment: environment)
            )
        } catch let error as ConfigurationError {
            throw error
        } catch {
            throw ConfigurationError(.invalidValue, "\(argument) begins with '~', and HOME is not set")
        }
    }
}
