import SystemPackage
import Testing

@testable import SQLiteReplicate

/// The variants that were tried with Litestream 0.5.17, each with what it means here.
@Suite struct ConfigurationVariantTests {
    /// One database with keys of its own and of its replica, in flow style.
    private static func one(_ replica: String, database: String = "", top: String = "") -> String {
        "\(top)\ndbs: [{path: /d/a.db, \(database.isEmpty ? "" : database + ", ")replica: {\(replica)}}]\n"
    }

    struct Refusal: Sendable, CustomTestStringConvertible {
        var text: String
        var code: ConfigurationError.Code
        var words: String

        init(_ text: String, _ code: ConfigurationError.Code, _ words: String) {
            (self.text, self.code, self.words) = (text, code, words)
        }

        var testDescription: String { text.replacing("\n", with: "⏎") }
    }

    static let refusals: [Refusal] = [
        .init("dbs: [{path: /d/a.db, replicas: [{path: /x}, {path: /y}]}]", .notServed, "several are not served yet"),
        .init("dbs: [{path: /a, replica: {path: /x}, replicas: [{path: /y}]}]", .conflict, "'replica' and 'replicas'"),
        .init("dbs: [{path: /d/a.db}]", .missingKey, "has no 'replica'"),
        .init("dbs: [{path: /d/a.db, replica: }]", .missingKey, "has no 'replica'"),
        .init("dbs: [{path: /d/a.db, replicas: []}]", .missingKey, "has no 'replica'"),
        .init(one("path: /x, age: {recipients: [age1x]}"), .notServed, "'age'"),
        .init(one("path: /x", top: "age: {identities: [k]}"), .notServed, "'age'"),
        .init(one("path: 's3://b/x'"), .invalidValue, "'url'"),
        .init(one("url: 's3://b/x', path: y"), .conflict, "both 'url' and 'path'"),
        .init(one("url: 's3://b/x', bucket: y"), .conflict, "both 'url' and 'bucket'"),
        .init(one("type: ftp, path: /x"), .invalidValue, "unknown type 'ftp'"),
        .init(one("url: 'ftp://h/x'"), .invalidValue, "unknown scheme 'ftp'"),
        .init(one("type: sftp, host: 'h:22', path: /x"), .notServed, "sftp, which is not served yet"),
        .init(one("type: gcs, bucket: b"), .notServed, "old name of gs"),
        .init(one("path: /x", database: "dir: /d"), .notServed, "'dir'"),
        .init("dbs: [{dir: /d, replica: {path: /x}}]", .notServed, "'dir'"),
        .init(one("path: /x", database: "watch: true"), .notServed, "'watch'"),
        .init(one("path: /x", database: "meta-path: /m, meta-dir: /n"), .notServed, "'meta-dir'"),
        .init(one("path: /x", top: "snapshot: {interval: -1s}"), .invalidValue, "must be greater than 0, not -1s"),
        .init(one("path: /x", top: "snapshot: {retention: 0s}"), .invalidValue, "must be greater than 0, not 0s"),
        .init(one("path: /x", top: "l0-retention: -5m"), .invalidValue, "must not be negative: -5m"),
        .init(one("path: /x, sync-interval: 0s"), .invalidValue, "sync-interval must be greater than 0"),
        .init(one("path: /x", top: "levels: [{interval: 0s}]"), .invalidValue, "levels[0].interval must be greater"),
        .init(one("path: /x", top: "levels: [{}]"), .missingKey, "levels[0]"),
        .init(
            one("path: /x", top: "levels: [" + String(repeating: "{interval: 1m}, ", count: 9) + "]"),
            .invalidValue,
            "8 is the most"
        ),
        .init(one("path: /x", top: "heartbeat-interval: 30s"), .invalidValue, "at least 1 minute, not 30s"),
        .init(one("path: /x", top: "heartbeat-url: 'ftp://x'"), .invalidValue, "http:// or https://"),
        .init(one("path: /x", top: "heartbeat-url: 'http://'"), .invalidValue, "http:// or https://"),
        .init(
            """
            dbs:
              - {path: /d/a.db, snapshot: {interval: 1h}, replica: {path: /x}}
              - {path: /d/b.db, snapshot: {interval: 2h}, replica: {path: /y}}
            """,
            .conflict,
            "/d/a.db has 1h, /d/b.db has 2h"
        ),
        .init(one("type: s3, bucket: b, part-size: 5XB"), .invalidValue, "part-size"),
        .init(one("type: s3, bucket: b, part-size: 6GiB"), .invalidValue, "5GiB"),
        .init(one("type: s3, bucket: b, part-size: -1"), .invalidValue, "part-size"),
        .init(one("url: 's3://b/x?concurrency=0'"), .invalidValue, "'concurrency' of '0'"),
        .init(one("type: s3, bucket: b, concurrency: 0"), .invalidValue, "concurrency must lie between"),
        .init(one("type: s3"), .missingKey, "'bucket'"),
        .init(one("type: s3, bucket: b, access-key-id: AK"), .invalidValue, "without 'secret-access-key'"),
        .init(one("path: /x", database: "max-sync-wal-bytes: 64MiB"), .invalidValue, "such as 67108864"),
        .init(one("path: /x", database: "max-sync-wal-bytes: -1"), .invalidValue, "must not be negative"),
        .init(one("path: /x", top: "socket: {permissions: '0660'}"), .invalidValue, "without quotes"),
        .init(one("path: /x", top: "logging: {type: bogus}"), .invalidValue, "text, json, pretty"),
        .init(one("path: /x", top: "logging: {level: bogus}"), .invalidValue, "trace, debug, info, warn, error"),
        .init(one("path: /x", database: "min-checkpoint-page-count: 0"), .invalidValue, "at least 1"),
        .init(one("path: /x", database: "monitor-interval: 0s"), .invalidValue, "monitor-interval"),
        .init(one("path: /x", database: "checkpoint-interval: -1s"), .invalidValue, "checkpoint-interval"),
        .init(one("path: /x", database: "busy-timeout: -1s"), .invalidValue, "busy-timeout"),
        .init(one("path: /x, max-sync-ltx-files: -1"), .invalidValue, "max-sync-ltx-files"),
        .init(one("path: /x", top: "verify-compaction: maybe"), .invalidValue, "must be true or false"),
        .init(one("path: /x", top: "validation: {interval: -1s}"), .invalidValue, "validation.interval"),
        .init(one("path: /x, validation-interval: -1s"), .invalidValue, "validation-interval"),
        .init(one("path: /x", top: "shutdown-sync-interval: 0s"), .invalidValue, "shutdown-sync-interval"),
        .init("dbs: 3", .invalidValue, "must be a list"),
        .init("levels: {interval: 1m}", .invalidValue, "must be a list"),
        .init("- dbs", .invalidValue, "must be a mapping"),
        .init("just a text", .invalidValue, "must be a mapping"),
        .init("snapshot: 24h", .invalidValue, "must be a mapping"),
        .init("dbs:\n\t- path: /x", .syntax, "found character that cannot start any token"),
        .init("dbs: []\n---\ndbs: []", .syntax, "second YAML document"),
        .init(one("path: ''"), .missingKey, "has no 'path' or 'url'"),
        .init(
            "dbs: [{path: /d/a.db, replica: {path: /x}}, {path: /d/b.db, replica: {path: /y/../x}}]",
            .conflict,
            "ruin each other"
        ),
        .init(
            "dbs: [{path: /a, replica: {url: 's3://b/x'}}, {path: /b, replica: {type: s3, bucket: b, path: x}}]",
            .conflict,
            "s3://b/x"
        ),
        .init(
            "dbs: [{path: 'sqlite:///d/../d/a.db', replica: {path: /x}}, {path: /d/a.db, replica: {path: /y}}]",
            .conflict,
            "/d/a.db, which is database 1 already"
        ),
        .init(
            "dbs: [{path: /a, meta-path: /m, replica: {path: /x}}, {path: /b, meta-path: /m, replica: {path: /y}}]",
            .conflict,
            "meta-path"
        ),
        .init(one("path: /x", database: "meta-path: \"a\\0b\""), .invalidValue, "NUL"),
        .init(one("path: [/x]"), .invalidValue, "must be a text, not a list"),
    ]

    @Test("A value that cannot be used is refused with words that name it", arguments: refusals)
    func refused(_ refusal: Refusal) throws {
        let error = try #require(parseError(refusal.text))
        #expect(error.code == refusal.code, "\(error)")
        #expect(error.message.contains(refusal.words), "\(error)")
        #expect(error.location != nil, "\(error)")
    }

    @Test(
        "Empty or null encryption is no encryption",
        arguments: ["{}", "", "null", "{recipients: []}", "{identities: }"]
    )
    func emptyAge(_ age: String) throws {
        #expect(try parse(Self.one("path: /x, age: \(age)")).warnings.isEmpty)
    }

    @Test("The scheme of a URL goes before the type")
    func schemeBeatsType() throws {
        let replica = try #require(
            try parse(Self.one("type: file, url: 's3://b/x'")).configuration.databases.first?.replica
        )
        #expect(replica.type == .s3 && replica.s3.bucket == "b" && replica.path == "x")
    }

    @Test("A bare number is a count of nanoseconds, and a warning says so", arguments: ["60", "0x3c", "6_0"])
    func bareNumber(_ number: String) throws {
        let file = try parse(Self.one("path: /x", top: "snapshot: {retention: \(number)}"))
        #expect(file.configuration.snapshot.retention == .nanoseconds(60))
        #expect(file.warnings.map(\.short) == ["bareNumber 1:23"])
        #expect(file.warnings.first?.message.contains("60 nanoseconds") == true)
    }

    @Test("An empty list of levels merges nothing; none given means the defaults")
    func levels() throws {
        #expect(try parse(Self.one("path: /x", top: "levels: []")).configuration.levels.isEmpty)
        #expect(try parse(Self.one("path: /x", top: "levels:")).configuration.levels.count == 3)
    }

    @Test(
        "Sizes have decimal and binary units",
        arguments: [("8MB", 8_000_000), ("1.5 GiB", 1_610_612_736), ("5242880", 5_242_880), ("8M", 8_000_000)]
            as [(String, Int64)]
    )
    func sizes(_ text: String, _ bytes: Int64) throws {
        let file = try parse(Self.one("type: s3, bucket: b, part-size: \(text)"))
        #expect(file.configuration.databases.first?.replica.s3.partSize == bytes)
        #expect(file.warnings.isEmpty)
    }

    @Test("A part size below what S3 takes is raised, with a warning")
    func smallParts() throws {
        let file = try parse(Self.one("type: s3, bucket: b, part-size: 5MB"))
        #expect(file.configuration.databases.first?.replica.s3.partSize == 5_242_880)
        #expect(file.warnings.map(\.code) == [.adjusted])
    }

    @Test("Truth values have YAML 1.1's forms", arguments: ["yes", "on", "y", "Yes", "ON", "TRUE", "'yes'"])
    func truth(_ text: String) throws {
        let file = try parse(Self.one("path: /x", top: "verify-compaction: \(text)"))
        #expect(file.configuration.verifyCompaction)
        let words = ["yes": "no", "on": "off", "y": "n", "Yes": "No", "ON": "OFF", "TRUE": "FALSE", "'yes'": "'no'"]
        let other = try #require(words[text])
        #expect(try !parse(Self.one("path: /x", top: "verify-compaction: \(other)")).configuration.verifyCompaction)
    }

    @Test("Of two equal keys the last one counts, with a warning at the first")
    func duplicateKeys() throws {
        let text = """
            l0-retention: 1m
            "snapshot": {interval: 1h}
            l0-retention: 2m
            dbs:
              - path: /old
                path: /d/a.db
                replica: {path: /x, path: /y}
            'snapshot': {interval: 2h, interval: 3h}
            l0-retention: 3m
            """
        let file = try parse(text)
        #expect(file.configuration.l0Retention == .seconds(180))
        #expect(file.configuration.snapshot.interval == .seconds(3 * 3600))
        #expect(file.configuration.databases.map(\.path) == ["/d/a.db"])
        #expect(file.configuration.databases.map(\.replica.path) == ["/y"])
        #expect(file.warnings.allSatisfy { $0.code == .duplicateKey })
        #expect(
            file.warnings.compactMap(\.location).map { "\($0.line):\($0.column)" } == [
                "1:1", "2:1", "3:1", "5:5", "7:15", "8:14",
            ]
        )
    }

    @Test("A validation interval of zero is off")
    func validationOff() throws {
        let configuration = try parse(Self.one("path: /x, validation-interval: 0", top: "validation: {interval: 0s}"))
            .configuration
        #expect(configuration.validationInterval == nil)
        #expect(configuration.databases.first?.replica.validationInterval == nil)
    }

    @Test("No database at all is a warning", arguments: ["", "dbs: []", "dbs:", "# nothing", "---", "~"])
    func empty(_ text: String) throws {
        let file = try parse(text)
        #expect(file.configuration.databases.isEmpty)
        #expect(file.warnings.map(\.code) == [.emptyConfiguration])
    }

    @Test("Relative paths start from the working directory, ~ from the home folder")
    func paths() throws {
        let text = """
            dbs:
              - {path: a.db, meta-path: ../meta, replica: {path: ./backup/../b}}
              - {path: ~/b.db, replica: {path: "~"}}
              - {path: "sqlite3://c.db", replica: {path: /x/}}
            """
        let databases = try parse(text).configuration.databases
        #expect(databases.map(\.path) == ["/current dir/a.db", "/home/me/b.db", "/current dir/c.db"])
        #expect(databases.map(\.metaPath.string).prefix(2) == ["/meta", "/home/me/.b.db-litestream"])
        #expect(databases.map(\.replica.path).first == "/current dir/b")
        #expect(databases.map(\.replica.path).last == "/x")
    }

    @Test("A ~ without a home folder is refused")
    func noHome() throws {
        let error = try #require(parseError(Self.one("path: ~/x"), environment: ["HOME": ""]))
        #expect(error.code == .invalidValue && error.message.contains("HOME"))
    }

    @Test("A missing file is an error that says what to do")
    func missingFile() throws {
        let error = try #require(throws: ConfigurationError.self) {
            try ConfigurationFile.load(path: "/no/such/litestream.yml")
        }
        #expect(error.code == .fileNotFound)
        #expect(error.description.hasPrefix("config file not found: /no/such/litestream.yml"))
        #expect(error.message.contains("-config"))
    }

    @Test("A folder and a text that is not UTF-8 are refused")
    func unreadable() throws {
        let folder = try #require(throws: ConfigurationError.self) { try ConfigurationFile.load(path: "/") }
        #expect(folder.code == .fileUnreadable && folder.message.contains("folder"))
        let binary = try #require(throws: ConfigurationError.self) {
            try ConfigurationFile.parse([0x61, 0x3A, 0x20, 0xFF], path: "x", environment: [:], workingDirectory: "/")
        }
        #expect(binary.code == .fileUnreadable && binary.place == "1:4")
    }

    @Test("The path comes from the environment where none is given")
    func defaultPath() {
        #expect(ConfigurationFile.defaultPath(environment: [:]) == "/etc/litestream.yml")
        #expect(ConfigurationFile.defaultPath(environment: ["LITESTREAM_CONFIG": "/c.yml"]) == "/c.yml")
    }
}
