import SystemPackage
import Testing

@testable import SQLiteReplicate

@Suite struct ConfigurationErrorTests {
    @Test(
        "An unknown key is refused at every depth, with the nearest known one",
        arguments: [
            ("lgoging: {}", "1:1", "'logging'"),
            ("logging: {levle: info}", "1:11", "'level'"),
            ("snapshot: {intervall: 1h}", "1:12", "'interval'"),
            ("retention: {enable: true}", "1:13", "'enabled'"),
            ("validation: {intreval: 1h}", "1:14", "'interval'"),
            ("levels: [{intervl: 1h}]", "1:11", "'interval'"),
            ("socket: {permission: 1}", "1:10", "'permissions'"),
            ("dbs: [{pth: /a, replica: {path: /x}}]", "1:8", "'path'"),
            ("dbs: [{path: /a, snapshot: {retenton: 1h}, replica: {path: /x}}]", "1:29", "'retention'"),
            ("dbs: [{path: /a, replica: {path: /x, regoin: r}}]", "1:38", "'region'"),
            ("dbs: [{path: /a, replicas: [{pat: /x}]}]", "1:30", "'path'"),
        ]
    )
    func unknownKeys(_ text: String, _ place: String, _ nearest: String) throws {
        let error = try #require(parseError(text))
        #expect(error.code == .unknownKey)
        #expect(error.place == place)
        #expect(error.message.contains("the nearest known one is \(nearest)"), "\(error)")
    }

    @Test("A key that belongs elsewhere is told its place")
    func misplaced() throws {
        let error = try #require(parseError("dbs: [{path: /a, sync-interval: 1s, replica: {path: /x}}]"))
        #expect(error.message.contains("'sync-interval' belongs in 'dbs[].replica'"))
        let top = try #require(parseError("path: /a"))
        #expect(top.message.contains("'path' belongs in 'dbs[]' or in 'dbs[].replica'"))
    }

    @Test("The description begins with file, line and column")
    func description() throws {
        let error = try #require(parseError("a: 1"))
        #expect(error.description.hasPrefix("test.yml:1:1: unknown key 'a' at the top level"))
    }

    @Test("Columns count Unicode scalars, and every line break of YAML counts as one")
    func columns() throws {
        #expect(try #require(parseError("# ä\r\n\r# x\r\ndbs: [{path: /ä𝄞/x, q: 1}]")).place == "4:21")
        #expect(try #require(parseError("\u{FEFF}a: 1")).place == "1:1")
    }

    @Test(
        "Text that is not YAML is refused where it breaks",
        arguments: [
            ("dbs:\n\t- path: /x", "2:1"), ("a: [1, 2", "1:9"), ("a: 'x", "1:6"), ("a: *nope", "1:4"),
            ("a: b: c", "1:5"),
            ("\u{1}", "1:1"), ("a: \"\\uD800\"", "1:7"),
        ]
    )
    func syntax(_ text: String, _ place: String) throws {
        let error = try #require(parseError(text))
        #expect(error.code == .syntax)
        #expect(error.message.hasPrefix("not YAML: "))
        #expect(error.location != nil)
        #expect(error.place == place)
    }

    @Test("A configuration made in code is checked by the same rules, without places")
    func code() throws {
        var configuration = ReplicationConfiguration()
        configuration.databases = [DatabaseConfiguration(path: "/a", replica: .folder("/x"))]
        try configuration.validate()
        configuration.databases.append(DatabaseConfiguration(path: "/a", replica: .folder("/y")))
        let conflict = try #require(throws: ConfigurationError.self) { try configuration.validate() }
        #expect(conflict.code == .conflict && conflict.location == nil)
        configuration.databases[1].path = "/b"
        configuration.databases[1].replica.syncInterval = .zero
        let range = try #require(throws: ConfigurationError.self) { try configuration.validate() }
        #expect(range.description.hasPrefix("dbs[1].replica.sync-interval must be greater than 0"))
    }

    @Test("Secrets are never shown, however a configuration is printed")
    func secrets() throws {
        let text = """
            access-key-id: hidden-1
            secret-access-key: hidden-2
            dbs: [{path: /a, replica: {type: s3, bucket: b, sse-customer-key: aGlkZGVuLTMtaGlkZGVuLTMtaGlkZGVuLTMtaGlkZGU=}}]
            """
        let configuration = try parse(text).configuration
        var dumped = ""
        dump(configuration, to: &dumped)
        for shown in ["\(configuration)", String(reflecting: configuration), dumped] {
            #expect(!shown.contains("hidden") && !shown.contains("aGlk"))
            #expect(shown.contains("[redacted]"))
        }
        #expect(configuration.databases.first?.replica.s3.secretAccessKey?.exposed == "hidden-2")
        let wrong = try #require(parseError(text.replacing("aGlkZGVu", with: "aGlkZ")))
        #expect(wrong.message.contains("base64") && !wrong.description.contains("aGlk"))
    }

    @Test("Keys of one's own are refused over plain HTTP to another network")
    func plainHTTP() throws {
        let key = "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="
        func text(_ endpoint: String) -> String {
            "dbs: [{path: /a, replica: {type: s3, bucket: b, sse-customer-key: \(key), endpoint: '\(endpoint)'}}]"
        }
        #expect(try #require(parseError(text("http://s3.example.com"))).message.contains("https://"))
        for endpoint in ["https://s3.example.com", "http://localhost:9000", "s3.example.com"] {
            _ = try parse(text(endpoint))
        }
    }
}

@Suite struct NearestNameTests {
    @Test(
        "Edits are counted",
        arguments: [
            ("", "", 0), ("a", "", 1), ("abc", "abd", 1), ("ab", "ba", 1), ("kitten", "sitting", 3), ("KEY", "key", 0),
        ]
    )
    func distance(_ first: String, _ second: String, _ edits: Int) {
        #expect(NearestName.editDistance(first, second) == edits)
        #expect(NearestName.editDistance(second, first) == edits)
    }

    @Test("The nearest of several is found, the first of equals")
    func nearest() {
        #expect(NearestName.nearest(to: "intervl", among: ["level", "interval", "internal"]) == "interval")
        #expect(NearestName.nearest(to: "x", among: ["a", "b"]) == "a")
        #expect(NearestName.nearest(to: "x", among: []) == nil)
    }
}
