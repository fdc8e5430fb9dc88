import Yams

/// Collects the entries of one mapping, with those that `<<` merges into it behind its own.
struct EntryCollector {
    let decoder: ConfigurationDecoder
    /// The mapping's key path, for messages.
    let owner: String
    private(set) var entries: [String: (key: Node, value: Node)] = [:]
    /// The keys in the order of the text.
    private(set) var keys: [String] = []

    init(decoder: ConfigurationDecoder, owner: String) { (self.decoder, self.owner) = (decoder, owner) }

    mutating func collect(_ node: Node, isMerged: Bool) throws(ConfigurationError) {
        guard let mapping = node.mapping else {
            let name = owner.isEmpty ? "the configuration" : "'\(owner)'"
            let found = node.sequence == nil ? "a text" : "a list"
            throw ConfigurationError(
                .invalidValue,
                "\(name) must be a mapping of keys to values, not \(found)",
                location: decoder.location(node),
            )
        }
        var merges: [Node] = []
        for (key, value) in mapping {
            guard let name = key.scalar?.string else {
                throw ConfigurationError(.invalidValue, "a key must be a text", location: decoder.location(key))
            }
            if let mark = key.mark, let lost = decoder.dropped[.init(line: mark.line, column: mark.column)] {
                if !isMerged { warnDropped(lost, at: key) }
                continue
            }
            // Yams has resolved the tags of keys by now: only the style tells that one was written without quotes.
            if name == "<<", key.scalar?.style == .plain {
                merges += value.sequence.map(Array.init) ?? [value]
                continue
            }
            guard entries[name] == nil else { continue }
            entries[name] = (key, value)
            keys.append(name)
        }
        for merge in merges {
            decoder.mergeBudget -= merge.mapping?.count ?? 1
            guard decoder.mergeBudget > 0 else {
                throw ConfigurationError(
                    .invalidValue,
                    "'<<' brings in more than 10000 entries",
                    location: decoder.location(merge),
                )
            }
            try collect(merge, isMerged: true)
        }
    }

    private func warnDropped(_ name: String, at key: Node) {
        let name = decoder.isFromEnvironment(key) ? "a key" : "'\(name)'"
        decoder.warn(
            .duplicateKey,
            "\(name) is given again further down in the same mapping: the last one counts, remove this one",
            at: decoder.location(key),
        )
    }
}
