import Testing

@testable import SQLiteReplicate

@Suite struct ProgramCommandTests {
    @Test(
        "A command line is split as a shell splits it, and nothing is expanded",
        arguments: [
            ("app", ["app"]), ("  app  -x\t1 ", ["app", "-x", "1"]), ("a 'b c' d", ["a", "b c", "d"]),
            (#"a "b 'c' d""#, ["a", "b 'c' d"]), (#"a 'b "c"'"#, ["a", #"b "c""#]),
            (#"a b\ c \"d"#, ["a", "b c", "\"d"]),
            (#"a "b\"c\\d\$e\f""#, ["a", #"b"c\d$e\f"#]), ("a '' \"\"", ["a", "", ""]), ("a''b'c'd", ["abcd"]),
            ("a $HOME ~ *.db ${X} #b", ["a", "$HOME", "~", "*.db", "${X}", "#b"]),
            (#"sh -c 'x; y && z > f'"#, ["sh", "-c", "x; y && z > f"]), ("a größer 'ä b'", ["a", "größer", "ä b"]),
            (#"a 'b\'"#, ["a", #"b\"#]), ("a=1 b", ["a=1", "b"]),
        ]
    )
    func splits(text: String, words: [String]) throws {
        let command = try ProgramCommand(parsing: text)
        #expect(command.words == words)
        // What it says of itself is the same command again.
        #expect(try ProgramCommand(parsing: command.description) == command)
    }

    @Test(
        "What no program is, or needs a shell, is refused in words",
        arguments: [
            ("", "names no program"), ("   ", "names no program"), ("''", "names no program"), ("a 'b", "closing '"),
            ("a \"b", "closing \""), ("a \\", "ends with a backslash"), ("a | b", "'|'"), ("a; b", "sh -c"),
            ("a > b", "'>'"), ("a & ", "'&'"), ("a `b`", "'`'"), ("a $(b)", "'('"), ("a\nb", "a line break"),
            ("a b\0c", "zero byte"),
        ]
    )
    func refuses(text: String, words: String) {
        let error = #expect(throws: ProgramError.self) { try ProgramCommand(parsing: text) }
        #expect(error?.code == .invalidCommand && error?.message.contains(words) == true, "\(error?.message ?? "")")
    }
}
