import Cluster
import NIOCore

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

/// What is wrong with a message between nodes.
struct MessageError: Error, Hashable {
    var message: String
}

/// Reads the members of a small JSON object that somebody else has sent, each checked. Unknown ones are ignored.
struct MessageReader {
    private let members: [String: JSONValue]

    /// - Parameters:
    ///   - body: The text.
    ///   - isOptional: Whether there may be none at all.
    init(_ body: ByteBuffer, isOptional: Bool = false) throws(MessageError) {
        if isOptional, body.readableBytes == 0 {
            members = [:]
            return
        }
        do {
            members = try JSONDecoder().decode([String: JSONValue].self, from: Data(body.readableBytesView))
        } catch {
            throw MessageError(message: "The body is no JSON object.")
        }
    }

    func string(_ key: String) throws(MessageError) -> String {
        guard case .string(let value)? = members[key], !value.isEmpty else { throw wrong(key, "a text") }
        return value
    }

    func id<ID: HexadecimalID>(_ key: String, _: ID.Type = ID.self) throws(MessageError) -> ID {
        guard case .string(let value)? = members[key], let id = ID(value) else {
            throw wrong(key, "16 hexadecimal digits")
        }
        return id
    }

    func integer(_ key: String, _ range: ClosedRange<Int64>) throws(MessageError) -> Int64 {
        guard case .integer(let value)? = members[key], range.contains(value) else {
            throw wrong(key, "a number from \(range.lowerBound) to \(range.upperBound)")
        }
        return value
    }

    /// A truth value; `false` where there is none.
    func flag(_ key: String) throws(MessageError) -> Bool {
        switch members[key] {
        case nil, .null: return false
        case .bool(let value): return value
        default: throw wrong(key, "true or false")
        }
    }

    /// The questions that were answered with yes: their names, with commas between.
    func answers(_ key: String) throws(MessageError) -> Set<PairQuestion> {
        guard members[key] != nil else { return [] }
        var answers: Set<PairQuestion> = []
        for name in try string(key).split(separator: ",") {
            guard let question = PairQuestion(rawValue: String(name)) else {
                throw wrong(key, PairQuestion.allCases.map(\.rawValue).joined(separator: ", "))
            }
            answers.insert(question)
        }
        return answers
    }

    private func wrong(_ key: String, _ kind: String) -> MessageError {
        MessageError(message: "'\(key)' is missing, or it is not \(kind).")
    }
}
