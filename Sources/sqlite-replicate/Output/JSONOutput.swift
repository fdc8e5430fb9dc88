#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

/// Results as one JSON document: keys in snake case and sorted, times in RFC 3339, units in the names.
///
/// Consumers should ignore fields that they do not know.
enum JSONOutput {
    /// Writes a document to standard output.
    static func write(_ value: some Encodable) throws { StandardStreams.output(try text(value) + "\n") }

    /// The document's text.
    static func text(_ value: some Encodable) throws -> String {
        let encoder = JSONEncoder()
        encoder.keyEncodingStrategy = .convertToSnakeCase
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        return String(decoding: try encoder.encode(value), as: UTF8.self)
    }
}
