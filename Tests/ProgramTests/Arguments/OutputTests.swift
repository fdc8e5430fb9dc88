import Logging
import SQLiteReplicate
import Testing

@testable import sqlite_replicate

@Suite struct OutputTests {
    @Test("Columns are padded with two spaces, the last one is not")
    func table() {
        var table = TextTable("level", "size", "name")
        table.add("0", "1234567", "a")
        table.add("all", "1", "longer")
        #expect(table.text == "level  size     name\n0      1234567  a\nall    1        longer\n")
    }

    private struct Row: Encodable {
        var minTxid: String
        var sizeBytes: Int
        var url: String
    }

    @Test("JSON has sorted keys in snake case and plain slashes")
    func json() throws {
        let text = try JSONOutput.text(Row(minTxid: "1a", sizeBytes: 3, url: "s3://b/p"))
        #expect(text.filter { !$0.isWhitespace } == #"{"min_txid":"1a","size_bytes":3,"url":"s3://b/p"}"#)
    }

    private let line = LogLine(
        milliseconds: 1_700_000_000_123,
        level: .warning,
        message: "It is late",
        metadata: ["path": "/a b", "txid": ["min": "1", "max": "2\n"], "empty": "", "quote": "say \"x\"=\u{1}"],
        source: "Module/File.swift:7"
    )

    @Test("Text lines are key=value pairs with quotes where they are needed")
    func textLine() {
        let form = LogLine.Form(type: .text, hasSource: true, hasColour: false)
        let expected =
            #"time=2023-11-14T22:13:20.123Z level=WARN msg="It is late" source=Module/File.swift:7 empty="" path="/a b" "#
            + #"quote="say \"x\"=\u0001" txid.max="2\n" txid.min=1"# + "\n"
        #expect(line.text(form) == expected)
    }

    @Test("Times always have three digits of fraction", arguments: [(0, "00.000Z"), (50, "00.050Z"), (900, "00.900Z")])
    func times(_ milliseconds: Int64, _ end: String) {
        var line = line
        line.milliseconds = 1_700_000_000_000 - 20_000 + milliseconds
        let text = line.text(LogLine.Form(type: .text, hasSource: false, hasColour: false))
        #expect(text.hasPrefix("time=2023-11-14T22:13:\(end) "))
    }

    @Test("JSON lines are one object each")
    func jsonLine() {
        let form = LogLine.Form(type: .json, hasSource: false, hasColour: false)
        let expected =
            #"{"time":"2023-11-14T22:13:20.123Z","level":"WARN","msg":"It is late","empty":"","path":"/a b","#
            + #""quote":"say \"x\"=\u0001","txid.max":"2\n","txid.min":"1"}"# + "\n"
        #expect(line.text(form) == expected)
    }

    @Test("Lines for eyes begin with the time of day, coloured on a terminal only")
    func prettyLine() {
        let plain = LogLine.Form(type: .pretty, hasSource: false, hasColour: false)
        #expect(line.text(plain).hasPrefix("22:13:20.123 WARN  It is late  empty=\"\"  path=\"/a b\""))
        let coloured = LogLine.Form(type: .pretty, hasSource: false, hasColour: true)
        #expect(line.text(coloured).contains("\u{1B}[33mWARN \u{1B}[0m"))
        #expect(line.text(plain).filter { $0 == "\n" }.count == 1)
    }

    @Test("The flag goes before LOG_LEVEL, which goes before the configuration")
    func levels() throws {
        #expect(try LogSettings.level(named: "TRACE", environment: ["LOG_LEVEL": "error"]) == .trace)
        #expect(try LogSettings.level(named: nil, environment: ["LOG_LEVEL": "Warning"]) == .warn)
        #expect(try LogSettings.level(named: nil, environment: ["LOG_LEVEL": "loud"]) == nil)
        #expect(try LogSettings.level(named: nil, environment: [:]) == nil)
        #expect(throws: (any Error).self) { try LogSettings.level(named: "loud", environment: [:]) }
        #expect(try LogSettings.logger(LoggingConfiguration(), level: "debug").logLevel == .debug)
    }
}
