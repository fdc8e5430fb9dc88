import Cluster
import Replication
import SystemPackage
import Testing

@testable import SQLiteReplicate

/// `cluster`, `service` and `exec`: what they mean, and where they are refused.
@Suite struct ClusterConfigurationTests {
    /// One database, and the top level's other keys.
    private static func one(_ top: String) -> String {
        "dbs: [{path: /d/app.db, replica: {url: 's3://bucket/app?endpoint=http://10.0.0.9:9000'}}]\n\(top)\n"
    }

    @Test("The small setup is enough; the rest has defaults")
    func smallSetup() throws {
        let text = """
            dbs:
              - path: /data/app.db
                replica:
                  type: s3
                  bucket: app
                  path: main
                  endpoint: http://10.0.0.9:9000
            cluster:
              health-url: http://10.0.0.1:3000/health
              health-interval: 2s
            exec: /usr/bin/app --port 80
            """
        let file = try parse(text)
        #expect(file.warnings.isEmpty)
        let cluster = try #require(file.configuration.cluster)
        #expect(cluster.healthURL == "http://10.0.0.1:3000/health" && cluster.healthInterval == .seconds(2))
        #expect(file.configuration.exec == "/usr/bin/app --port 80")
        #expect(file.configuration.service == ServiceConfiguration())
        var defaults = ClusterConfiguration()
        (defaults.healthURL, defaults.healthInterval) = (cluster.healthURL, cluster.healthInterval)
        #expect(cluster == defaults)
        #expect(
            !cluster.name.isEmpty && cluster.url.isEmpty && cluster.reachableURL == cluster.localURL
                && cluster.token == nil
        )
        #expect(cluster.listen.description == "127.0.0.1:3000" && cluster.localURL == "http://127.0.0.1:3000")
        let node = try NodeConfiguration(file.configuration, beginning: .waits)
        #expect(node.name == cluster.name && node.ttl == .seconds(6) && node.beginning == .waits)
        #expect(node.holdDownLimit == 3 && node.holdDownWindow == .seconds(3600) && node.isFailsafe)
        #expect(node.database.database == "/data/app.db" && node.database.spoolLimit == 1 << 30)
    }

    @Test("Every key is read, and arrives at the node")
    func everyKey() throws {
        let text = Self.one(
            """
            cluster:
              name: b
              url: http://10.0.0.2:4000/
              listen: :4000
              token: $WORD
              ttl: 3s
              poll: 100ms
              health-url: https://lb.example/health
              health-interval: 1s
              failure-threshold: 5
              failsafe: off
              hold-down: {takeovers: 2, window: 10m}
              max-catch-up: 5s
              drain: 0s
              handoff: 2s
              spool-limit: 64MiB
              tail-policy: halt
              post-failover: {service: no, writer: false}
              hooks: {primary: "ip addr add", standby: "b c", fence: d}
              follow-interval: 250ms
            service: {health: no, writer: off, replication: false, writer-interval: 20ms}
            """
        )
        let file = try parse(text, environment: ["WORD": "0123456789abcdef"])
        let cluster = try #require(file.configuration.cluster)
        #expect(cluster.name == "b" && cluster.url == "http://10.0.0.2:4000")
        #expect(cluster.listen == ListenAddress(host: "0.0.0.0", port: 4000))
        #expect(cluster.localURL == "http://127.0.0.1:4000")
        #expect(cluster.token?.exposed == "0123456789abcdef" && !"\(cluster)".contains("0123456789"))
        #expect(cluster.healthURL == "https://lb.example/health" && cluster.healthInterval == .seconds(1))
        #expect(cluster.failureThreshold == 5 && cluster.maxCatchUp == .seconds(5))
        #expect(!cluster.postFailover.service && !cluster.postFailover.writer)
        #expect(cluster.hooks.primary == "ip addr add" && cluster.hooks.standby == "b c" && cluster.hooks.fence == "d")
        let service = file.configuration.service
        #expect(!service.servesHealth && !service.writes && !service.replicates)
        #expect(service.writerInterval == .milliseconds(20))
        let node = try NodeConfiguration(file.configuration, beginning: .begins)
        #expect(node.name == "b" && node.url == cluster.url && node.beginning == .begins)
        #expect(node.ttl == .seconds(3) && node.poll == .milliseconds(100) && !node.isFailsafe)
        #expect(node.holdDownLimit == 2 && node.holdDownWindow == .seconds(600))
        #expect(node.drain == .zero && node.handoff == .seconds(2) && node.followInterval == .milliseconds(250))
        #expect(node.maxCatchUp == .seconds(5) && node.tailPolicy == .halt)
        #expect(node.database.spoolLimit == 64 << 20)
    }

    @Test("Without 'cluster' nothing is one; without a value it says so; hold-down can be off")
    func absence() throws {
        #expect(try parse(Self.one("")).configuration.cluster == nil)
        let empty = try parse(Self.one("cluster:"))
        #expect(empty.configuration.cluster == nil)
        #expect(empty.warnings.map(\.short) == ["ignored 2:1"])
        #expect(empty.warnings.first?.message.contains("cluster: {}") == true)
        #expect(try parse(Self.one("cluster: {}")).configuration.cluster == ClusterConfiguration())
        for off in ["off", "false", "no"] {
            #expect(try parse(Self.one("cluster: {hold-down: \(off)}")).configuration.cluster?.holdDown == nil)
        }
        let error = #expect(throws: ConfigurationError.self) {
            try NodeConfiguration(try parse(Self.one("")).configuration, beginning: .begins)
        }
        #expect(error?.message.contains("cluster: {}") == true)
    }

    @Test("An address that others reach is the node's URL, unless one is given")
    func derivedURL() throws {
        let token = "token: 0123456789abcdef"
        for (listen, url) in [
            ("10.0.0.1:3000", "http://10.0.0.1:3000"), ("[fd00::1]:80", "http://[fd00::1]:80"), (":3000", ""),
            ("127.0.0.1:3001", "http://127.0.0.1:3001"), ("[::]:3000", ""), ("10.0.0.1:0", ""),
        ] {
            let file = try parse(Self.one("cluster: {listen: '\(listen)', \(token)}"))
            #expect(file.configuration.cluster?.reachableURL == url, "\(listen)")
            // All addresses are none that another node could ask.
            #expect(file.warnings.map(\.short) == (listen.hasPrefix("10") || !url.isEmpty ? [] : ["adjusted 2:19"]))
        }
    }

    @Test("A URL that others cannot reach, or that nothing listens at, is warned of where it stands")
    func reach() throws {
        let token = "token: 0123456789abcdef"
        let local = try parse(Self.one("cluster: {\(token), listen: ':3000', url: 'http://localhost:3000'}"))
        #expect(local.warnings.map(\.short) == ["adjusted 2:58"])
        #expect(local.warnings.first?.message.contains("own loopback") == true)
        let deaf = try parse(Self.one("cluster: {\(token), url: 'http://10.0.0.1:3000'}"))
        #expect(deaf.warnings.map(\.short) == ["adjusted 2:41"])
        #expect(deaf.warnings.first?.message.contains("127.0.0.1:3000") == true)
        let good = try parse(Self.one("cluster: {url: 'http://127.0.0.1:3000'}"))
        #expect(good.warnings.isEmpty && good.configuration.cluster?.url == "http://127.0.0.1:3000")
    }

    struct Refusal: Sendable, CustomTestStringConvertible {
        var top: String
        var code: ConfigurationError.Code
        var place: String
        var words: String

        init(_ top: String, _ code: ConfigurationError.Code, _ place: String, _ words: String) {
            (self.top, self.code, self.place, self.words) = (top, code, place, words)
        }

        var testDescription: String { top }
    }

    static let refusals: [Refusal] = [
        .init("cluster: {listen: '0.0.0.0:3000'}", .invalidValue, "2:19", "add 'token: …' under 'cluster'"),
        .init("cluster: {listen: ':3000'}", .invalidValue, "2:19", "add 'token: …' under 'cluster'"),
        .init("cluster: {listen: 'node-a:3000'}", .invalidValue, "2:19", "add 'token: …' under 'cluster'"),
        .init("cluster: {url: 'http://10.0.0.1:3000'}", .invalidValue, "2:16", "add 'token: …' under 'cluster'"),
        .init("cluster: {url: 'http://127.0.0.1.example'}", .invalidValue, "2:16", "add 'token: …'"),
        .init("cluster: {url: 'ftp://127.0.0.1'}", .invalidValue, "2:16", "http:// or https:// and a host, not ftp://"),
        .init("cluster: {url: 'localhost:3000'}", .invalidValue, "2:16", "http:// or https://"),
        .init("cluster: {url: 'http://u:p@localhost'}", .invalidValue, "2:16", "must not hold a user"),
        .init("cluster: {url: 'http://localhost/?a=b'}", .invalidValue, "2:16", "no '?'"),
        .init("cluster: {token: 01234567x, url: 'http://0.0.0.0:1'}", .invalidValue, "2:34", "must name this host"),
        .init("cluster: {health-url: '10.0.0.1'}", .invalidValue, "2:23", "http:// or https://"),
        .init("cluster: {listen: 3000}", .invalidValue, "2:19", "must be HOST:PORT"),
        .init("cluster: {listen: 'localhost:http'}", .invalidValue, "2:19", "must be HOST:PORT"),
        .init("cluster: {listen: 'localhost:65536'}", .invalidValue, "2:19", "must be HOST:PORT"),
        .init("cluster: {listen: '::1:3000'}", .invalidValue, "2:19", "must be HOST:PORT"),
        .init("cluster: {token: short}", .invalidValue, "2:18", "at least 8 characters"),
        .init("cluster: {token: 'long enough'}", .invalidValue, "2:18", "visible ASCII"),
        .init("cluster: {ttl: 299ms}", .invalidValue, "2:16", "between 300ms and 24h, not 299ms"),
        .init("cluster: {ttl: 25h}", .invalidValue, "2:16", "between 300ms and 24h, not 25h"),
        .init("cluster: {ttl: -6s}", .invalidValue, "2:16", "not -6s"),
        .init("cluster: {ttl: soon}", .invalidValue, "2:16", "a duration such as 30s"),
        .init("cluster: {poll: 2s}", .invalidValue, "2:17", "a quarter of 'ttl' (1.5s), not 2s"),
        .init("cluster: {poll: 0s}", .invalidValue, "2:17", "between 10ms"),
        .init("cluster: {health-interval: 0s}", .invalidValue, "2:28", "greater than 0"),
        .init("cluster: {failure-threshold: 0}", .invalidValue, "2:30", "at least 1, not 0"),
        .init("cluster: {failure-threshold: few}", .invalidValue, "2:30", "a whole number"),
        .init("cluster: {failsafe: maybe}", .invalidValue, "2:21", "must be auto or off, not 'maybe'"),
        .init("cluster: {failsafe: on}", .invalidValue, "2:21", "must be auto or off, not 'on'"),
        .init("cluster: {hold-down: 3}", .invalidValue, "2:22", "{takeovers: 3, window: 1h}"),
        .init("cluster: {hold-down: [3, 1h]}", .invalidValue, "2:22", "must be a mapping"),
        .init("cluster: {hold-down: {takeovers: 0}}", .invalidValue, "2:34", "'hold-down: off'"),
        .init("cluster: {hold-down: {window: 0s}}", .invalidValue, "2:31", "greater than 0"),
        .init("cluster: {hold-down: {time: 1h}}", .unknownKey, "2:23", "nearest known one is 'window'"),
        .init("cluster: {max-catch-up: 0s}", .invalidValue, "2:25", "greater than 0"),
        .init("cluster: {drain: -1s}", .invalidValue, "2:18", "must not be negative"),
        .init("cluster: {handoff: 0s}", .invalidValue, "2:20", "greater than 0"),
        .init("cluster: {spool-limit: 1kB}", .invalidValue, "2:24", "at least 1MiB, not 1000 bytes"),
        .init("cluster: {spool-limit: lots}", .invalidValue, "2:24", "a size such as 8MiB"),
        .init("cluster: {tail-policy: keep}", .invalidValue, "2:24", "quarantine or halt or discard, not 'keep'"),
        .init("cluster: {follow-interval: 0s}", .invalidValue, "2:28", "greater than 0"),
        .init("cluster: {post-failover: {services: no}}", .unknownKey, "2:27", "nearest known one is 'service'"),
        .init("cluster: {post-failover: yes}", .invalidValue, "2:26", "must be a mapping"),
        .init("cluster: {hooks: {primary: [a]}}", .invalidValue, "2:28", "must be a text, not a list"),
        .init("cluster: {hooks: {primry: a}}", .unknownKey, "2:19", "nearest known one is 'primary'"),
        .init("cluster: {name: 'a b'}", .invalidValue, "2:17", "1 to 64 characters"),
        .init("cluster: {name: 0123456789abcdef}", .invalidValue, "2:17", "taken for a node's id"),
        .init(
            "cluster: {tll: 6s}",
            .unknownKey,
            "2:11",
            "unknown key 'tll' in 'cluster'; the nearest known one is 'ttl'"
        ),
        .init("ttl: 6s", .unknownKey, "2:1", "'ttl' belongs in 'cluster'"),
        .init("service: {writer-intervall: 1s}", .unknownKey, "2:11", "nearest known one is 'writer-interval'"),
        .init("service: {writer-interval: 0s}", .invalidValue, "2:28", "greater than 0"),
        .init("service: {health: maybe}", .invalidValue, "2:19", "must be true or false"),
        .init("cluster: 3", .invalidValue, "2:10", "must be a mapping"),
        .init("exec: sleep 1 &", .invalidValue, "2:7", "needs a shell"),
    ]

    @Test("What is wrong or unsafe is refused at its place, with what to write", arguments: refusals)
    func refused(_ refusal: Refusal) {
        let error = parseError(Self.one(refusal.top))
        #expect(error?.code == refusal.code && error?.place == refusal.place, "\(error?.description ?? "")")
        #expect(error?.message.contains(refusal.words) == true, "\(error?.message ?? "")")
    }

    @Test("A cluster has exactly one database")
    func databases() {
        let two = """
            dbs:
              - {path: /d/a.db, replica: {path: /x}}
              - {path: /d/b.db, replica: {path: /y}}
            cluster: {}
            """
        let error = parseError(two)
        #expect(error?.code == .conflict && error?.place == "3:5")
        #expect(error?.message.contains("exactly one database, not 2") == true)
        let none = parseError("cluster: {}")
        #expect(none?.code == .conflict && none?.place == "1:10")
        #expect(none?.message.contains("needs exactly one database under 'dbs'") == true)
    }

    @Test("A token that an environment variable does not give is none")
    func missingVariable() {
        let error = parseError(Self.one("cluster: {listen: ':3000', token: $NOT_SET}"))
        #expect(error?.message.contains("add 'token: …'") == true)
    }

    @Test("Values that are set in code are checked as well")
    func code() throws {
        var configuration = ReplicationConfiguration()
        configuration.databases = [DatabaseConfiguration(path: "/d/a.db", replica: .folder("/x"))]
        configuration.cluster = ClusterConfiguration()
        try configuration.validate()
        configuration.cluster?.ttl = .seconds(90_000)
        #expect(throws: ConfigurationError.self) { try configuration.validate() }
        configuration.cluster?.ttl = .seconds(6)
        configuration.cluster?.listen.host = "10.0.0.1"
        #expect(throws: ConfigurationError.self) { try configuration.validate() }
    }

    @Test("Addresses to listen at are read in three forms")
    func addresses() {
        #expect(ListenAddress("127.0.0.1:3000") == ListenAddress(host: "127.0.0.1", port: 3000))
        #expect(ListenAddress(":80") == ListenAddress(host: "0.0.0.0", port: 80))
        #expect(ListenAddress("[::1]:3000")?.description == "[::1]:3000")
        #expect(ListenAddress("[::1]:3000")?.isLoopback == true && ListenAddress(":1")?.isEverywhere == true)
        #expect(ListenAddress("node-b.example:1")?.isLoopback == false)
        for bad in [
            "", ":", "3000", "a", "a:", "a:b", "a:-1", "a:65536", "::1", "[::1]", "[]:1", "[a]:1", "a b:1", "a/b:1",
        ] {
            #expect(ListenAddress(bad) == nil, "\(bad)")
        }
    }
}
