import ArgumentParser
import Logging
import SQLiteReplicate
import SystemPackage

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

/// Which level and form of logs the flag, the environment and the configuration ask for, in this order.
enum LogSettings {
    /// The level of a flag or of `LOG_LEVEL`; `nil` where neither is given.
    static func level(
        named name: String?,
        environment: [String: String] = ProcessInfo.processInfo.environment
    ) throws -> LoggingConfiguration.Level? {
        if let name {
            guard let level = LoggingConfiguration.Level(named: name) else {
                throw ValidationError("-log-level must be trace, debug, info, warn or error, not '\(name)'.")
            }
            return level
        }
        // What is in the environment may be meant for others: an unknown word counts as none.
        return environment["LOG_LEVEL"].flatMap { LoggingConfiguration.Level(named: $0) }
    }

    /// The logger of `replicate`.
    static func logger(_ configuration: LoggingConfiguration, level name: String?) throws -> Logger {
        let level = try level(named: name) ?? configuration.level
        let file: FileDescriptor = configuration.stderr ? .standardError : .standardOutput
        let form = LogLine.Form(
            type: configuration.type,
            hasSource: configuration.source,
            hasColour: configuration.type == .pretty && Terminal.isTerminal(file.rawValue),
        )
        return Logger(label: "sqlite-replicate") { _ in LineLogHandler(level: level.swiftLog, form: form, file: file) }
    }

    /// The logger of commands with a result: warnings and worse, to standard error, unless `LOG_LEVEL` asks for more.
    static func quietLogger() throws -> Logger {
        let level = try level(named: nil) ?? .warn
        let form = LogLine.Form(type: .text, hasSource: false, hasColour: false)
        return Logger(label: "sqlite-replicate") { _ in
            LineLogHandler(level: level.swiftLog, form: form, file: .standardError)
        }
    }
}

extension LoggingConfiguration.Level {
    /// The level's name in swift-log.
    fileprivate var swiftLog: Logger.Level {
        switch self {
        case .trace: .trace
        case .debug: .debug
        case .info: .info
        case .warn: .warning
        case .error: .error
        }
    }
}
