/// The text of a configuration file with environment variables put in, and the way back to the text as written.
///
/// `$NAME` and `${NAME}` become the variable's value, or nothing where it is not set; `$PID` is the process id. One
/// digit or one of `* # $ @ ! ? -` behind `$` counts as a name of one character, `${}` vanishes, and a `$` before
/// anything else stays. There is no escape. This happens on the raw text, comments and quotes included, as Litestream
/// does it; only a `${` without `}` on its line, which there swallows the text up to the next `}`, is an error here.
struct EnvironmentExpansion: Sendable {
    /// A `${` that is not closed on its line.
    struct Unclosed: Error {
        /// Byte offset of the `$` in the text as written.
        var offset: Int
    }

    /// A `$` that was replaced by nothing.
    struct Remark: Sendable, Equatable {
        enum Kind: Sendable, Equatable {
            /// A variable that is not set.
            case unset(String)
            /// `$5`, `$$`, `${}` and the like.
            case vanished(String)
            /// `${NAME:-x}` and the like, which shells understand.
            case notAName(String)
        }
        var kind: Kind
        /// Byte offset of the `$` in the text as written.
        var offset: Int
    }

    private struct Replacement {
        var written: Range<Int>
        var expanded: Range<Int>
    }

    /// The text as written.
    let written: TextPositions
    /// The text with variables put in.
    let expanded: TextPositions
    /// What vanished, outside comment lines, in the order of the text.
    let remarks: [Remark]
    private let replacements: [Replacement]

    /// Takes a text as it is.
    init(verbatim text: [UInt8]) {
        written = TextPositions(text)
        (expanded, remarks, replacements) = (written, [], [])
    }

    /// Puts variables in.
    init(_ text: [UInt8], environment: [String: String], processID: Int32) throws(Unclosed) {
        var (result, remarks, replacements) = ([UInt8](), [Remark](), [Replacement]())
        let written = TextPositions(text)
        result.reserveCapacity(text.count * 2)
        var index = 0
        while index < text.count {
            guard text[index] == UInt8(ascii: "$") else {
                result.append(text[index])
                index += 1
                continue
            }
            let isComment = written.lineHead(before: index).isCommentHead
            let reference = Reference(text, at: index)
            let name: String
            switch reference.kind {
            case .none:
                result.append(text[index])
                index += 1
                continue
            case .unclosed:
                // In a comment nothing can go wrong: it stays as it is.
                guard isComment else { throw Unclosed(offset: index) }
                result.append(text[index])
                index += 1
                continue
            case .name(let range): name = String(decoding: text[range], as: UTF8.self)
            }
            let value = name == "PID" ? String(processID) : environment[name]
            if value == nil, !isComment {
                remarks.append(Remark(kind: reference.remark(on: name), offset: index))
            }
            let start = result.count
            result.append(contentsOf: (value ?? "").utf8)
            let end = index + reference.byteCount
            replacements.append(Replacement(written: index..<end, expanded: start..<result.count))
            index = end
        }
        (self.written, self.expanded) = (written, TextPositions(result))
        (self.remarks, self.replacements) = (remarks, replacements)
    }

    /// The place in the text as written of a place in the expanded text, and whether a variable's value stands there.
    ///
    /// Everything inside a value is at the `$` that brought it.
    func writtenPosition(line: Int, column: Int) -> (line: Int, column: Int, isValue: Bool) {
        let offset = expanded.offset(line: line, column: column)
        var shift = 0
        for replacement in replacements {
            if offset < replacement.expanded.lowerBound { break }
            if offset < replacement.expanded.upperBound {
                let position = written.position(of: replacement.written.lowerBound)
                return (position.line, position.column, true)
            }
            shift = replacement.written.upperBound - replacement.expanded.upperBound
        }
        let position = written.position(of: offset + shift)
        return (position.line, position.column, false)
    }
}

/// What stands behind a `$`.
private struct Reference {
    enum Kind {
        case none
        case unclosed
        case name(Range<Int>)
    }

    var kind: Kind
    /// The bytes from the `$` on that are replaced.
    var byteCount: Int
    private var isBraced = false

    init(_ text: [UInt8], at dollar: Int) {
        let first = dollar + 1
        (kind, byteCount) = (.none, 1)
        guard first < text.count else { return }
        if text[first] == UInt8(ascii: "{") {
            isBraced = true
            var end = first + 1
            while end < text.count, text[end] != UInt8(ascii: "}") {
                if TextPositions.lineBreakWidth(text, at: end) > 0 { break }
                end += 1
            }
            guard end < text.count, text[end] == UInt8(ascii: "}") else {
                kind = .unclosed
                return
            }
            (kind, byteCount) = (.name(first + 1..<end), end + 1 - dollar)
        } else if text[first].isShellSpecial {
            (kind, byteCount) = (.name(first..<first + 1), 2)
        } else {
            var end = first
            while end < text.count, text[end].isNameByte { end += 1 }
            guard end > first else { return }
            (kind, byteCount) = (.name(first..<end), end - dollar)
        }
    }

    func remark(on name: String) -> EnvironmentExpansion.Remark.Kind {
        let bytes = Array(name.utf8)
        if bytes.isEmpty { return .vanished("${}") }
        if bytes.count == 1, bytes[0].isShellSpecial { return .vanished(isBraced ? "${\(name)}" : "$\(name)") }
        return bytes.allSatisfy(\.isNameByte) ? .unset(name) : .notAName(name)
    }
}

extension UInt8 {
    fileprivate var isDigit: Bool { self >= 0x30 && self <= 0x39 }

    fileprivate var isNameByte: Bool {
        isDigit || (self | 0x20 >= 0x61 && self | 0x20 <= 0x7A) || self == UInt8(ascii: "_")
    }

    fileprivate var isShellSpecial: Bool {
        isDigit || StaticBytes.special.contains(self)
    }
}

private enum StaticBytes {
    static let special = Set("*#$@!?-".utf8)
}

extension ArraySlice<UInt8> {
    /// Whether a line that starts with this is a comment.
    fileprivate var isCommentHead: Bool {
        first { $0 != UInt8(ascii: " ") && $0 != UInt8(ascii: "\t") } == UInt8(ascii: "#")
    }
}
