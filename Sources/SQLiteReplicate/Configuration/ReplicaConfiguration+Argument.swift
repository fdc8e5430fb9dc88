#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

extension ReplicaConfiguration {
    /// A replica from an argument of the command line: `s3://BUCKET/PATH?…`, `file:///PATH`, or the path of a folder.
    ///
    /// - Parameters:
    ///   - argument: The URL or path; `~` and relative paths are expanded.
    ///   - environment: The variables, `nil` for the process's own; `HOME` is what `~` stands for.
    /// - Throws: ``ConfigurationError`` for other schemes, a URL without a bucket, or an unknown query parameter.
    public init(
        argument: String,
        environment: [String: String]? = nil
    ) throws(ConfigurationError) {
        if Endpoint.scheme(of: argument) != nil {
            do {
                let url = try ReplicaURL(argument)
                self.init(type: url.type, path: url.path)
                s3 = url.s3
                if type == .s3 { s3.partSize = max(s3.partSize, S3Settings().partSize) }
            } catch {
                // The query may hold a key: it is not repeated.
                let shown = Endpoint.hostAndPort(of: argument).contains("@") ? "URL" : argument.prefix { $0 != "?" }
                throw ConfigurationError(error.code, "the replica \(shown) \(error.words)")
            }
            return
        }
        guard !argument.isEmpty else {
            throw ConfigurationError(.invalidValue, "the replica is empty: write s3://BUCKET/PATH or a folder")
        }
        let paths = PathText(
            home: (environment ?? ProcessInfo.processInfo.environment)["HOME"],
            workingDirectory: FileManager.default.currentDirectoryPath
        )
        do {
            self = try .folder(paths.absolute(argument))
        } catch {
            throw ConfigurationError(.invalidValue, "the replica \(argument) begins with '~', and HOME is not set")
        }
    }
}
