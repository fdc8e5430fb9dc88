import Logging
import SQLiteReplicate

/// One line of a log, in one of three forms; the keys `time level msg` come first, the others in their order.
struct LogLine {
    /// The form of the lines.
    struct Form: Sendable {
        var type: LoggingConfiguration.Format
        var hasSource: Bool
        var hasColour: Bool
    }

    var milliseconds: Int64
    var level: Logger.Level
    var message: String
    var metadata: Logger.Metadata
    var source: String

    /// The line with its end.
    func text(_ form: Form) -> String {
        var fields: [(String, String)] = form.hasSource ? [("source", source)] : []
        Self.flatten(metadata, prefix: "", into: &fields)
        let time = self.time
        switch form.type {
        case .text:
            let all = [("time", time), ("level", name), ("msg", message)] + fields
            return all.map { "\($0)=\(Self.quoted($1))" }.joined(separator: " ") + "\n"
        case .json:
            let all = [("time", time), ("level", name), ("msg", message)] + fields
            return "{" + all.map { "\(Self.json($0)):\(Self.json($1))" }.joined(separator: ",") + "}\n"
        case .pretty:
            // The time of day is what eyes look for: it stands behind the date and its T.
            let clock = time.split(separator: "T").last.map { String($0.dropLast()) } ?? time
            let start = form.hasColour ? colour : ""
            let end = form.hasColour ? "\u{1B}[0m" : ""
            let facts = fields.map { "  \($0)=\(Self.quoted($1))" }.joined()
            let padded = name + String(repeating: " ", count: max(0, 5 - name.count))
            return "\(clock) \(start)\(padded)\(end) \(Self.oneLine(message))\(facts)\n"
        }
    }

    /// The time with three digits of fraction, so that lines stand beneath each other.
    private var time: String {
        let seconds = Commands.rfc3339(milliseconds: milliseconds).prefix { $0 != "." && $0 != "Z" }
        let fraction = String((milliseconds % 1000 + 1000) % 1000)
        return seconds + "." + String(repeating: "0", count: 3 - fraction.count) + fraction + "Z"
    }

    /// Litestream's names of levels.
    private var name: String {
        switch level {
        case .trace: "TRACE"
        case .debug: "DEBUG"
        case .info, .notice: "INFO"
        case .warning: "WARN"
        case .error, .critical: "ERROR"
        }
    }

    private var colour: String {
        switch level {
        case .trace, .debug: "\u{1B}[2m"
        case .info, .notice: "\u{1B}[32m"
        case .warning: "\u{1B}[33m"
        case .error, .critical: "\u{1B}[31m"
        }
    }

    /// Sorted by key; what lies in dictionaries gets dotted keys.
    private static func flatten(_ metadata: Logger.Metadata, prefix: String, into fields: inout [(String, String)]) {
        for (key, value) in metadata.sorted(by: { $0.key < $1.key }) {
            if case .dictionary(let inner) = value {
                flatten(inner, prefix: prefix + key + ".", into: &fields)
            } else {
                fields.append((prefix + key, value.description))
            }
        }
    }

    /// The text as it is, or in quotes where it would be taken apart otherwise.
    private static func quoted(_ text: String) -> String {
        let isPlain = text.unicodeScalars.allSatisfy {
            $0.value > 0x20 && $0.value != 0x7F && $0 != "\"" && $0 != "=" && $0 != "\\"
        }
        return isPlain && !text.isEmpty ? text : json(text)
    }

    private static func oneLine(_ text: String) -> String { text.replacing("\n", with: " ") }

    /// A JSON string.
    private static func json(_ text: String) -> String {
        var result = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": result += "\\\""
            case "\\": result += "\\\\"
            case "\n": result += "\\n"
            case "\t": result += "\\t"
            case "\r": result += "\\r"
            default:
                if scalar.value < 0x20 || scalar.value == 0x7F {
                    let digits = String(scalar.value, radix: 16)
                    result += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
                } else {
                    result.unicodeScalars.append(scalar)
                }
            }
        }
        return result + "\""
    }
}
