import SystemPackage
import Yams

/// Reads one mapping of the file: its keys are checked first, then each value is asked for by key and type.
///
/// A value that is not given, or given as `null`, is `nil`. Every error names the place and the key.
struct MappingReader {
    let decoder: ConfigurationDecoder
    /// The mapping's key path, such as `dbs[0].replica`; empty for the top level.
    let keyPath: String
    private let entries: [String: (key: Node, value: Node)]
    private let keys: [String]
    private let location: ConfigurationLocation?

    /// Takes a mapping apart.
    init(_ node: Node, keyPath: String, decoder: ConfigurationDecoder) throws(ConfigurationError) {
        (self.decoder, self.keyPath, location) = (decoder, keyPath, decoder.location(node))
        var collector = EntryCollector(decoder: decoder, owner: keyPath)
        if node.scalar?.isNull != true { try collector.collect(node, isMerged: false) }
        (entries, keys) = (collector.entries, collector.keys)
        decoder.note(keyPath, at: location)
        for key in keys { decoder.note(path(key), at: entries[key].flatMap { decoder.location($0.value) }) }
    }

    /// Refuses keys that are not among `known`, with the nearest one that is.
    func check(known: [String]) throws(ConfigurationError) {
        for key in keys where !known.contains(key) {
            guard let node = entries[key]?.key else { continue }
            let place = keyPath.isEmpty ? "at the top level" : "in '\(keyPath)'"
            guard !decoder.isFromEnvironment(node) else {
                throw ConfigurationError(
                    .unknownKey,
                    "the value of an environment variable makes an unknown key here, \(place): quote it, or turn "
                        + "expansion off with -no-expand-env",
                    location: decoder.location(node),
                )
            }
            var message = "unknown key '\(key)' \(place)"
            if let nearest = NearestName.nearest(to: key, among: known) {
                message += "; the nearest known one is '\(nearest)'"
            }
            let homes = ConfigurationKeys.homes(of: key)
            if !homes.isEmpty { message += "; '\(key)' belongs \(homes.joined(separator: " or "))" }
            throw ConfigurationError(.unknownKey, message, location: decoder.location(node))
        }
    }

    // MARK: Values by type

    /// Whether a key is there, be it without a value.
    func has(_ key: String) -> Bool { entries[key] != nil }

    /// The value, unless it is `null`.
    func node(_ key: String) -> Node? {
        guard let value = entries[key]?.value, value.scalar?.isNull != true else { return nil }
        return value
    }

    /// A text; an empty one counts as not given.
    func text(_ key: String) throws(ConfigurationError) -> String? {
        guard let scalar = try scalar(key, wanted: "a text") else { return nil }
        guard !scalar.string.contains("\0") else { throw invalid(key, "must not hold a NUL character") }
        return scalar.string.isEmpty ? nil : scalar.string
    }

    /// A text that is never shown.
    func secret(_ key: String) throws(ConfigurationError) -> Secret? { try text(key).map(Secret.init) }

    func bool(_ key: String) throws(ConfigurationError) -> Bool? {
        guard let scalar = try scalar(key, wanted: "true or false") else { return nil }
        guard let value = scalar.boolValue else {
            throw invalid(key, "must be true or false (or yes, no, on, off), not '\(scalar.string)'")
        }
        return value
    }

    /// A whole number.
    func integer(_ key: String, hint: String = "") throws(ConfigurationError) -> Int64? {
        guard let scalar = try scalar(key, wanted: "a whole number") else { return nil }
        guard let value = scalar.integerValue else {
            throw invalid(key, "must be a whole number without quotes\(hint), not '\(scalar.string)'")
        }
        return value
    }

    /// A whole number that fits `Int`.
    func count(_ key: String) throws(ConfigurationError) -> Int? {
        guard let value = try integer(key) else { return nil }
        guard let count = Int(exactly: value) else { throw invalid(key, "is out of range: \(value)") }
        return count
    }

    /// A duration, or a bare number of nanoseconds.
    func duration(_ key: String) throws(ConfigurationError) -> Duration? {
        guard let scalar = try scalar(key, wanted: "a duration such as 30s") else { return nil }
        if let nanoseconds = scalar.integerValue {
            if nanoseconds != 0 {
                decoder.warn(
                    .bareNumber,
                    "'\(path(key))' is a number without a unit, and so \(nanoseconds) nanoseconds: write "
                        + "'\(nanoseconds)s' if seconds are meant",
                    at: decoder.place(of: path(key)),
                )
            }
            return .nanoseconds(nanoseconds)
        }
        do {
            return try DurationText.parse(scalar.string)
        } catch {
            throw invalid(key, Self.words(for: error, in: scalar.string))
        }
    }

    /// One of a few words.
    func word<Word: RawRepresentable<String> & CaseIterable>(_ key: String, _: Word.Type) throws(ConfigurationError)
        -> Word?
    {
        let words = Word.allCases.map(\.rawValue).joined(separator: " or ")
        guard let scalar = try scalar(key, wanted: words) else { return nil }
        guard let word = Word(rawValue: scalar.string) else {
            throw invalid(key, "must be \(words), not '\(scalar.string)'")
        }
        return word
    }

    /// A number of bytes, with or without a unit.
    func byteSize(_ key: String) throws(ConfigurationError) -> Int64? {
        guard let scalar = try scalar(key, wanted: "a size such as 8MiB") else { return nil }
        guard let value = ByteSizeText.parse(scalar.string) else {
            throw invalid(key, "must be a size such as 8MiB, 5MB or a number of bytes, not '\(scalar.string)'")
        }
        return value
    }

    /// A mapping of its own; an absent one is `nil`.
    func mapping(_ key: String) throws(ConfigurationError) -> MappingReader? {
        guard let node = node(key) else { return nil }
        return try MappingReader(node, keyPath: path(key), decoder: decoder)
    }

    /// The entries of a list; an absent one is `nil`.
    func list(_ key: String) throws(ConfigurationError) -> [Node]? {
        guard let node = node(key) else { return nil }
        guard let sequence = node.sequence else { throw invalid(key, "must be a list, each entry behind a '-'") }
        return Array(sequence)
    }

    private func scalar(_ key: String, wanted: String) throws(ConfigurationError) -> Node.Scalar? {
        guard let node = node(key) else { return nil }
        guard let scalar = node.scalar else {
            throw invalid(key, "must be \(wanted), not a \(node.sequence == nil ? "mapping" : "list")")
        }
        return scalar
    }

    private static func words(for problem: DurationText.Problem, in text: String) -> String {
        switch problem {
        case .malformed: "must be a duration such as 30s or 1h30m, not '\(text)'"
        case .missingUnit: "is a number without a unit: '\(text)'; units are ns, us, ms, s, m and h"
        case .unknownUnit(let unit): "has the unknown unit '\(unit)' in '\(text)'; units are ns, us, ms, s, m and h"
        case .tooLong: "is longer than 292 years: '\(text)'"
        }
    }

    // MARK: Places and errors

    /// The key path of one of this mapping's keys.
    func path(_ key: String) -> String { keyPath.isEmpty ? key : "\(keyPath).\(key)" }

    /// Where a key itself stands, or the mapping.
    func keyLocation(_ key: String) -> ConfigurationLocation? {
        entries[key].flatMap { decoder.location($0.key) } ?? location
    }

    /// An error about a key's value.
    func invalid(_ key: String, _ words: String) -> ConfigurationError {
        ConfigurationError(.invalidValue, "\(path(key)) \(words)", location: decoder.place(of: path(key)))
    }
}
