import Logging
import SystemPackage

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

/// Writes log lines to a descriptor, each with one write, so that lines of several threads stay whole.
struct LineLogHandler: LogHandler {
    var logLevel: Logger.Level
    var metadata: Logger.Metadata = [:]
    var metadataProvider: Logger.MetadataProvider?
    private let form: LogLine.Form
    private let file: FileDescriptor

    init(level: Logger.Level, form: LogLine.Form, file: FileDescriptor) {
        (logLevel, self.form, self.file) = (level, form, file)
    }

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    func log(event: LogEvent) {
        var all = metadata
        if let provided = metadataProvider?.get() { all.merge(provided) { $1 } }
        if let own = event.metadata { all.merge(own) { $1 } }
        if let error = event.error { all["error"] = "\(error)" }
        let line = LogLine(
            milliseconds: Int64((Date().timeIntervalSince1970 * 1000).rounded(.down)),
            level: event.level,
            message: event.message.description,
            metadata: all,
            source: "\(event.file):\(event.line)",
        )
        // A log that cannot be written has nowhere to say so.
        _ = try? file.writeAll(Array(line.text(form).utf8))
    }
}
