import TestSupport

/// Reads Prometheus' text format, and is strict about it.
struct PrometheusText {
    struct Sample {
        var name: String
        var labels: [String: String]
        var value: Double
    }

    private(set) var samples: [Sample] = []

    /// - Throws: `TestSupportError` for a line that is none, or a sample without its help and type before it.
    init(_ text: String) throws {
        guard text.hasSuffix("\n") else { throw TestSupportError("The last line has no end.") }
        var known: [String: Set<String>] = [:]
        for line in text.dropLast().split(separator: "\n", omittingEmptySubsequences: false) {
            if line.hasPrefix("# ") {
                let words = line.split(separator: " ", maxSplits: 3)
                guard words.count == 4, words[1] == "HELP" || words[1] == "TYPE" else { throw Self.wrong(line) }
                guard words[1] == "HELP" || ["gauge", "counter"].contains(words[3]) else { throw Self.wrong(line) }
                guard known[String(words[2]), default: []].insert(String(words[1])).inserted else {
                    throw Self.wrong(line)
                }
                continue
            }
            let sample = try Self.sample(line)
            guard known[sample.name] == ["HELP", "TYPE"] else { throw Self.wrong(line) }
            samples.append(sample)
        }
    }

    /// The value of a sample without labels; `nil` where there is none.
    func value(_ name: String) -> Double? { samples.first { $0.name == name && $0.labels.isEmpty }?.value }

    private static func sample(_ line: Substring) throws -> Sample {
        let name = line.prefix { $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "_") }
        var rest = line[name.endIndex...]
        var labels: [String: String] = [:]
        if rest.first == "{" {
            rest.removeFirst()
            while rest.first != "}" {
                let label = rest.prefix { $0.isLetter || $0 == "_" }
                rest = rest[label.endIndex...]
                guard !label.isEmpty, rest.hasPrefix("=\"") else { throw wrong(line) }
                rest = rest.dropFirst(2)
                var value = ""
                while let character = rest.popFirst(), character != "\"" {
                    guard character == "\\" else {
                        value.append(character)
                        continue
                    }
                    switch rest.popFirst() {
                    case "n": value.append("\n")
                    case "\\": value.append("\\")
                    case "\"": value.append("\"")
                    default: throw wrong(line)
                    }
                }
                labels[String(label)] = value
                if rest.first == "," { rest.removeFirst() }
            }
            rest.removeFirst()
        }
        guard !name.isEmpty, rest.first == " ", let value = Double(rest.dropFirst()) else { throw wrong(line) }
        return Sample(name: String(name), labels: labels, value: value)
    }

    private static func wrong(_ line: Substring) -> TestSupportError {
        TestSupportError("Not Prometheus' text: \(line)")
    }
}
