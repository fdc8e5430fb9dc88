import Yams

/// Parses YAML 1.1 into Yams' nodes, which carry their places; of two equal keys the last one stays, as in Litestream.
///
/// Yams refuses a mapping with two equal keys. So the first one's first character is replaced by one that no key has,
/// which moves nothing, and the text is parsed again; ``Document/dropped`` names such keys.
enum YAMLText {
    /// A line and column, from 1, in the text that was parsed.
    struct Place: Hashable {
        var line: Int
        var column: Int
    }

    /// A text that is not YAML, or not one document.
    struct Problem: Error {
        var message: String
        var place: Place?
    }

    struct Document {
        /// The document; `nil` for an empty text.
        var root: Node?
        /// Keys that a later one of the same mapping replaces, with their names.
        var dropped: [Place: String]
    }

    /// The most equal keys that are looked for in one text.
    private static let duplicateLimit = 100
    /// The first of the private-use characters that mask keys, one for each; YAML allows them everywhere.
    private static let firstMask: UInt32 = 0xF000

    /// Parses a text.
    static func parse(_ text: TextPositions) throws(Problem) -> Document {
        var (current, dropped) = (text.bytes, [Place: String]())
        while true {
            let string = String(decoding: current, as: UTF8.self)
            do {
                // No rules: what a scalar means depends on its key, and the rules are slow to set up.
                let parser = try Parser(yaml: string, resolver: .basic, encoding: .utf8)
                let root = try parser.nextRoot()
                if let second = try parser.nextRoot() {
                    let place = second.mark.map { Place(line: $0.line, column: $0.column) }
                    throw Problem(message: "a second YAML document begins here: a configuration is one", place: place)
                }
                return Document(root: root, dropped: dropped)
            } catch let problem as Problem {
                throw problem
            } catch YamlError.duplicatedKeysInMapping(let names, let context) {
                let place = Place(line: context.mark.line, column: context.mark.column)
                let name = names.first ?? ""
                guard dropped.count < duplicateLimit, dropped[place] == nil,
                    masks(place, count: dropped.count, in: &current)
                else {
                    throw Problem(message: "the key '\(name)' is given twice in one mapping", place: place)
                }
                dropped[place] = name
            } catch {
                throw problem(error, text: string)
            }
        }
    }

    /// Masks the key at a place; false where there is no scalar key that can be masked.
    private static func masks(_ place: Place, count: Int, in text: inout [UInt8]) -> Bool {
        let positions = TextPositions(text)
        var (start, end) = (
            positions.offset(line: place.line, column: place.column),
            positions.offset(line: place.line, column: place.column + 1),
        )
        guard start < end else { return false }
        if text[start] == UInt8(ascii: "\"") || text[start] == UInt8(ascii: "'") {
            (start, end) = (end, positions.offset(line: place.line, column: place.column + 2))
            guard start < end, text[start] != UInt8(ascii: "\\") else { return false }
        }
        // Structure is not masked: the text would mean something else.
        guard text[start] >= 0x80 || text[start].isKeyByte else { return false }
        guard let mask = Unicode.Scalar(firstMask + UInt32(count)) else { return false }
        text.replaceSubrange(start..<end, with: Array(String(mask).utf8))
        return true
    }

    private static func problem(_ error: any Error, text: String) -> Problem {
        switch error {
        case YamlError.scanner(let context, let problem, let mark, _),
            YamlError.parser(let context, let problem, let mark, _),
            YamlError.composer(let context, let problem, let mark, _):
            let remark = context.map { " (\($0.text.trimmedEnd))" } ?? ""
            return Problem(message: problem + remark, place: Place(line: mark.line, column: mark.column))
        case YamlError.reader(let problem, let offset, _, _):
            guard let offset, let index = text.index(text.startIndex, offsetBy: offset, limitedBy: text.endIndex) else {
                return Problem(message: problem, place: nil)
            }
            let bytes = text.utf8.distance(from: text.utf8.startIndex, to: index)
            let position = TextPositions(Array(text.utf8)).position(of: bytes)
            return Problem(message: problem, place: Place(line: position.line, column: position.column))
        default:
            return Problem(message: "\(error)", place: nil)
        }
    }
}

extension UInt8 {
    fileprivate var isKeyByte: Bool {
        (self | 0x20 >= 0x61 && self | 0x20 <= 0x7A) || (self >= 0x30 && self <= 0x39) || self == UInt8(ascii: "_")
    }
}

extension String {
    fileprivate var trimmedEnd: String {
        var text = self
        while text.last?.isWhitespace ?? false { text.removeLast() }
        return text
    }
}
