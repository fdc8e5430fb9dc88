import Testing

@testable import SQLiteReplicate

@Suite struct EnvironmentExpansionTests {
    private static let environment = ["A": "1", "LONG_NAME9": "val", "PID": "no", "MULTI": "x\ny", "5": "five"]

    private func expand(_ text: String) throws -> EnvironmentExpansion {
        try EnvironmentExpansion(Array(text.utf8), environment: Self.environment, processID: 4711)
    }

    @Test(
        "Each form of reference becomes what Litestream makes of it",
        arguments: [
            ("$A", "1"), ("${A}", "1"), ("x$A.y", "x1.y"), ("$AB|", "|"), ("${LONG_NAME9}$LONG_NAME9", "valval"),
            ("$PID", "4711"), ("${PID}", "4711"), ("$NOT_SET|", "|"), ("${NOT_SET}|", "|"), ("$$|", "|"), ("$-|", "|"),
            ("$*$#$@$!$?|", "|"), ("${*}|", "|"), ("$5|$6|", "five||"), ("$55", "five5"), ("${}|", "|"), ("$ |", "$ |"),
            ("$%", "$%"), ("$/x", "$/x"), ("a$", "a$"), ("$", "$"), ("$.A", "$.A"), ("${A:-b}|", "|"), ("$$A", "A"),
            ("$ä", "$ä"), ("pa$$word", "paword"), ("{$A}", "{1}"), ("${ A }", ""), ("$\n", "$\n"), ("", ""),
            ("${MULTI}", "x\ny"), ("# ${", "# ${"), ("  # a ${\nb", "  # a ${\nb"),
        ] as [(String, String)]
    )
    func forms(_ text: String, _ expected: String) throws {
        #expect(String(decoding: try expand(text).expanded.bytes, as: UTF8.self) == expected)
    }

    @Test(
        "A brace that is not closed on its line is an error there",
        arguments: [("a: ${A", "1:4"), ("x: 1\nä: ${A\n}", "2:4"), ("${", "1:1"), ("a: $A ${\nb: }", "1:7")]
    )
    func unclosed(_ text: String, _ place: String) throws {
        let error = try #require(parseError(text, environment: Self.environment))
        #expect(error.code == .environment)
        #expect(error.place == place)
        #expect(error.message.contains("-no-expand-env"))
    }

    @Test("What vanishes is remarked, except in comments")
    func remarks() throws {
        let text = "# $NO $5\na: $NO\nb: ${C:-d} $6 $$ ${} $A\n"
        let expansion = try expand(text)
        #expect(
            expansion.remarks.map(\.kind) == [
                .unset("NO"), .notAName("C:-d"), .vanished("$6"), .vanished("$$"), .vanished("${}"),
            ]
        )
        #expect(expansion.remarks.map { expansion.written.position(of: $0.offset).line } == [2, 3, 3, 3, 3])
    }

    @Test("Places behind a value are those of the text as written, those inside it the reference's")
    func positions() throws {
        let expansion = try expand("a: ${MULTI} ä: $A b\nc: $LONG_NAME9 d\n")
        // expanded: "a: x⏎y ä: 1 b⏎c: val d⏎"
        func written(_ line: Int, _ column: Int) -> String {
            let position = expansion.writtenPosition(line: line, column: column)
            return "\(position.line):\(position.column)\(position.isValue ? "*" : "")"
        }
        #expect(written(1, 1) == "1:1")
        #expect(written(1, 4) == "1:4*")
        #expect(written(2, 1) == "1:4*")
        #expect(written(2, 3) == "1:13")
        #expect(written(2, 6) == "1:16*")
        #expect(written(2, 8) == "1:19")
        #expect(written(3, 1) == "2:1")
        #expect(written(3, 8) == "2:16")
        #expect(written(99, 1) == "3:1")
    }

    @Test("An error behind a long value names the column as written")
    func errorColumns() throws {
        let text = "dbs: [{path: ${P}, replica: {path: /x, sync-interval: 5d}}]"
        let long = String(repeating: "/long", count: 50)
        let error = try #require(parseError(text, environment: ["P": long]))
        #expect(error.place == "1:55")
        #expect(try #require(parseError(text, environment: ["P": "/a"])).place == "1:55")
    }

    @Test("A value that breaks the structure is not repeated in the message")
    func hiddenValue() throws {
        let text = "access-key-id: $KEY\ndbs: []"
        let error = try #require(parseError(text, environment: ["KEY": "a\nsecretword: hidden"]))
        #expect(error.code == .unknownKey)
        #expect(error.place == "1:16")
        #expect(!error.description.contains("secretword") && !error.description.contains("hidden"))
    }
}
