import SystemPackage

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

/// The raw text of a configuration file: read, and with environment variables put in.
enum ConfigurationText {
    /// Reads a file whole, within the limit of its size.
    static func read(_ path: FilePath) throws(ConfigurationError) -> [UInt8] {
        let limit = ConfigurationFile.sizeLimit
        do {
            let file = try FileDescriptor.open(path, .readOnly, options: .closeOnExec)
            return try file.closeAfter {
                var text: [UInt8] = []
                var chunk = [UInt8](repeating: 0, count: 64 << 10)
                while text.count <= limit {
                    // SAFETY: the buffer is the array's own and is used within the closure only.
                    let count = unsafe try chunk.withUnsafeMutableBytes { unsafe try file.read(into: $0) }
                    if count == 0 { break }
                    text += chunk[..<count]
                }
                guard text.count <= limit else {
                    throw ConfigurationError(
                        .fileUnreadable,
                        "config file larger than 1 MiB: \(path): this is no configuration"
                    )
                }
                return text
            }
        } catch let error as ConfigurationError {
            throw error
        } catch Errno.noSuchFileOrDirectory {
            throw ConfigurationError(
                .fileNotFound,
                "config file not found: \(path): name one with -config PATH or in LITESTREAM_CONFIG, or give a database "
                    + "and a replica URL as arguments"
            )
        } catch Errno.isDirectory {
            throw ConfigurationError(.fileUnreadable, "config file is a folder: \(path): name the file in it")
        } catch {
            throw ConfigurationError(.fileUnreadable, "config file not readable: \(path): \(error)")
        }
    }

    /// Puts variables in, where there are some to put.
    static func expand(
        _ text: [UInt8],
        path: FilePath,
        environment: [String: String]?
    ) throws(ConfigurationError) -> EnvironmentExpansion {
        var text = text[...]
        if text.starts(with: [0xEF, 0xBB, 0xBF]) { text = text.dropFirst(3) }
        let bytes = Array(text)
        guard String(validating: bytes, as: UTF8.self) != nil else {
            throw ConfigurationError(
                .fileUnreadable,
                "not UTF-8 text: save it as UTF-8",
                location: ConfigurationLocation(path, TextPositions(bytes).position(of: bytes.validUTF8Count))
            )
        }
        guard let environment else { return EnvironmentExpansion(verbatim: bytes) }
        do {
            let processID = ProcessInfo.processInfo.processIdentifier
            return try EnvironmentExpansion(bytes, environment: environment, processID: processID)
        } catch {
            throw ConfigurationError(
                .environment,
                "'${' is not closed on its line: write ${NAME}, or turn expansion off with -no-expand-env",
                location: ConfigurationLocation(path, TextPositions(bytes).position(of: error.offset))
            )
        }
    }
}

extension ConfigurationLocation {
    fileprivate init(_ path: FilePath, _ position: (line: Int, column: Int)) {
        self.init(file: path.string, line: position.line, column: position.column)
    }
}

extension [UInt8] {
    /// The number of bytes before the first that is not UTF-8.
    fileprivate var validUTF8Count: Int {
        var decoder = Unicode.UTF8.ForwardParser()
        var (iterator, count) = (makeIterator(), 0)
        while true {
            switch decoder.parseScalar(from: &iterator) {
            case .valid(let scalar): count += scalar.count
            case .emptyInput, .error: return count
            }
        }
    }
}

extension ConfigurationDecoder {
    /// Warns about variables that were replaced by nothing.
    func warnAboutExpansion() {
        for remark in expansion.remarks {
            let message =
                switch remark.kind {
                case .unset(let name): "the environment variable '\(name)' is not set: nothing stands in its place"
                case .vanished(let text):
                    "'\(text)' is taken for an environment variable and vanishes: a '$' of one's own needs "
                        + "-no-expand-env, or must come from a variable"
                case .notAName(let name):
                    "there is no environment variable '\(name)', and nothing stands in its place: shell forms such as "
                        + "${NAME:-default} are not understood"
                }
            let position = expansion.written.position(of: remark.offset)
            warn(
                .environment,
                message,
                at: ConfigurationLocation(file: file, line: position.line, column: position.column)
            )
        }
    }

    /// The warnings in the order of the text.
    var sortedWarnings: [ConfigurationWarning] {
        warnings.enumerated().sorted { first, second in
            let (a, b) = (first.element.location, second.element.location)
            return (a?.line ?? 0, a?.column ?? 0, first.offset) < (b?.line ?? 0, b?.column ?? 0, second.offset)
        }.map(\.element)
    }
}
