#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

/// Reads the members of a small JSON object, each checked; what is left over is what a later version wrote.
struct ObjectReader {
    let object: String
    private(set) var rest: [String: JSONValue]

    /// No object of a cluster is larger, but for the manifests of tails.
    static let limit = 64 << 10

    /// - Parameters:
    ///   - bytes: The JSON text.
    ///   - object: What it should be, for messages.
    ///   - limit: The most bytes that it can have.
    init(
        _ bytes: some Sequence<UInt8>,
        _ object: String,
        limit: Int = Self.limit
    ) throws(ClusterObjectError) {
        self.object = object
        let data = Data(bytes)
        guard data.count <= limit else {
            throw ClusterObjectError(object, "has \(data.count) bytes, more than \(limit)")
        }
        do {
            rest = try JSONDecoder().decode([String: JSONValue].self, from: data)
        } catch {
            throw ClusterObjectError(object, "is not JSON: something else was written there")
        }
        guard try integer("format") == 1 else {
            throw ClusterObjectError(object, "has a format that this version does not know")
        }
    }

    /// Reads the members of an object within `reader`'s.
    init(_ members: [String: JSONValue], within reader: ObjectReader) { (object, rest) = (reader.object, members) }

    mutating func take(_ key: String) -> JSONValue? { rest.removeValue(forKey: key) }

    func wrong(_ key: String, _ kind: String) -> ClusterObjectError {
        ClusterObjectError(object, "lacks '\(key)', or it is not \(kind)")
    }

    mutating func integer(_ key: String) throws(ClusterObjectError) -> UInt64 {
        guard case .integer(let value)? = take(key), value >= 0 else { throw wrong(key, "a number of 0 or more") }
        return UInt64(value)
    }

    mutating func string(_ key: String) throws(ClusterObjectError) -> String {
        guard case .string(let value)? = take(key) else { throw wrong(key, "a text") }
        return value
    }

    mutating func id<ID: HexadecimalID>(_ key: String, _: ID.Type = ID.self) throws(ClusterObjectError) -> ID {
        guard case .string(let value)? = take(key), let id = ID(value) else {
            throw wrong(key, "16 hexadecimal digits")
        }
        return id
    }

    /// Of a key that need not be there.
    mutating func optionalBool(_ key: String) throws(ClusterObjectError) -> Bool? {
        switch take(key) {
        case nil, .null?: return nil
        case .bool(let value)?: return value
        default: throw wrong(key, "true or false")
        }
    }

    /// Of a key that need not be there.
    mutating func optionalMembers(_ key: String) throws(ClusterObjectError) -> [String: JSONValue]? {
        switch take(key) {
        case nil, .null?: return nil
        case .object(let members)?: return members
        default: throw wrong(key, "an object")
        }
    }

    mutating func optionalID<ID: HexadecimalID>(_ key: String) throws(ClusterObjectError) -> ID? {
        guard rest[key] != nil, rest[key] != .null else {
            rest[key] = nil
            return nil
        }
        return try id(key)
    }

    mutating func ids<ID: HexadecimalID>(_ key: String) throws(ClusterObjectError) -> [ID] {
        guard case .array(let values)? = take(key) else { throw wrong(key, "a list of ids") }
        var ids: [ID] = []
        for value in values {
            guard case .string(let text) = value, let id = ID(text) else { throw wrong(key, "a list of ids") }
            ids.append(id)
        }
        return ids
    }

    mutating func choice<Choice: RawRepresentable<String>>(_ key: String) throws(ClusterObjectError) -> Choice {
        let text = try string(key)
        guard let choice = Choice(rawValue: text) else {
            throw ClusterObjectError(object, "has '\(text)' for '\(key)', which this version does not know")
        }
        return choice
    }

    mutating func nonce(_ key: String) throws(ClusterObjectError) -> Nonce {
        guard case .string(let text)? = take(key), let nonce = Nonce(text) else {
            throw wrong(key, "32 hexadecimal digits")
        }
        return nonce
    }

    /// A place of the chain, `{"txid":…,"checksum":…}`.
    mutating func point(_ key: String) throws(ClusterObjectError) -> ChainPoint {
        guard case .object(let members)? = take(key), case .string(let number)? = members["txid"],
            case .string(let checksum)? = members["checksum"], let number = SessionID(number),
            let checksum = SessionID(checksum)
        else { throw wrong(key, "a place of the chain") }
        return ChainPoint(number: number.rawValue, checksum: checksum.rawValue)
    }

    /// Reads an object within another, to be checked in the same way.
    init(members: [String: JSONValue], _ object: String) { (rest, self.object) = (members, object) }

    /// The text form of an object: keys in order, so that equal objects are equal texts.
    static func text(_ members: [String: JSONValue]) -> [UInt8] {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        // Text and whole numbers can always be encoded.
        return [UInt8]((try? encoder.encode(members)) ?? Data())
    }
}

extension JSONValue {
    static func id(_ id: some HexadecimalID) -> JSONValue { .string(id.description) }

    static func point(_ point: ChainPoint) -> JSONValue {
        .object([
            "txid": .id(SessionID(rawValue: point.number)), "checksum": .id(SessionID(rawValue: point.checksum)),
        ])
    }
}
