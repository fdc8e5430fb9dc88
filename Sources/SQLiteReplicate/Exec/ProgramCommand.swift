/// A program and its arguments.
public struct ProgramCommand: Hashable, Sendable, CustomStringConvertible {
    /// The program, by its path or by a name that is looked up in `PATH`, and its arguments; at least one word.
    public let words: [String]

    /// Takes words as they are.
    ///
    /// - Throws: ``ProgramError`` with code `invalidCommand` where there is none, the first is empty, or one has a zero
    ///   byte in it.
    public init(words: [String]) throws(ProgramError) {
        guard let first = words.first, !first.isEmpty else {
            throw ProgramError(
                .invalidCommand,
                "A command names no program: give its path, or a name to look up in PATH."
            )
        }
        guard words.allSatisfy({ !$0.utf8.contains(0) }) else {
            throw ProgramError(.invalidCommand, "The command '\(first)' has a zero byte in it.")
        }
        self.words = words
    }

    /// Splits a command line as a shell does, and expands nothing: `$HOME`, `*` and `~` stay as they are.
    ///
    /// Quotes hold words together: within single ones all is literal, within double ones a backslash takes away the
    /// meaning of `"`, `\`, `$` and a back quote, outside of both that of any character. What would need a shell is
    /// refused.
    ///
    /// - Throws: ``ProgramError`` with code `invalidCommand`.
    public init(parsing text: String) throws(ProgramError) {
        var splitter = WordSplitter(text: text)
        try self.init(words: splitter.split())
    }

    /// The command as a shell would take it.
    public var description: String { words.map(Self.quoted).joined(separator: " ") }

    private static func quoted(_ word: String) -> String {
        let plain: (Character) -> Bool = { $0.isLetter || $0.isNumber || "-_./=:,@%+".contains($0) }
        if !word.isEmpty, word.allSatisfy(plain) { return word }
        return "'\(word.replacing("'", with: #"'\''"#))'"
    }
}

/// Splits a command line into words.
private struct WordSplitter {
    let text: String
    private var words: [String] = []
    /// The word so far; `nil` between two of them.
    private var word: String?

    init(text: String) { self.text = text }

    private func failure(_ fact: String) -> ProgramError {
        ProgramError(.invalidCommand, "The command line '\(text)' \(fact).")
    }

    mutating func split() throws(ProgramError) -> [String] {
        var rest = text[...]
        while let character = rest.popFirst() {
            switch character {
            case "'": try quote("'", &rest)
            case "\"": try quote("\"", &rest)
            case "\\":
                guard let next = rest.popFirst() else { throw failure("ends with a backslash") }
                append(next)
            case " ", "\t": end()
            case "|", "&", ";", "<", ">", "(", ")", "`", "\n", "\r\n":
                let name = character.isNewline ? "a line break" : "'\(character)'"
                throw failure("has \(name) in it, which needs a shell: quote it, or write sh -c '…'")
            default: append(character)
            }
        }
        end()
        return words
    }

    private mutating func append(_ character: Character) { word = (word ?? "") + String(character) }

    private mutating func end() {
        if let word { words.append(word) }
        word = nil
    }

    private mutating func quote(_ mark: Character, _ rest: inout Substring) throws(ProgramError) {
        word = word ?? ""
        while let character = rest.popFirst() {
            if character == mark { return }
            if mark == "\"", character == "\\", let next = rest.first, "\"\\$`".contains(next) {
                append(next)
                rest.removeFirst()
            } else {
                append(character)
            }
        }
        throw failure("lacks a closing \(mark)")
    }
}
