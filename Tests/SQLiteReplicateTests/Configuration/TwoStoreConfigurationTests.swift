import Cluster
import SystemPackage
import Testing

@testable import SQLiteReplicate

/// `peer-store` and `witness`: what they mean, and where they are refused.
@Suite struct TwoStoreConfigurationTests {
    private static func one(_ cluster: String, top: String = "") -> String {
        """
        dbs: [{path: /d/app.db, replica: {url: 's3://app/main?endpoint=http://10.0.0.1:9000'}}]
        cluster: {\(cluster)}
        \(top)

        """
    }

    private static let peer = "peer-store: 's3://app/main?endpoint=http://10.0.0.2:9000'"

    @Test("Two URLs are enough")
    func urls() throws {
        let file = try parse(Self.one("\(Self.peer), witness: 'https://w.example:3001/'"))
        let cluster = try #require(file.configuration.cluster)
        let store = try #require(cluster.peerStore)
        #expect(store.type == .s3 && store.s3.bucket == "app" && store.path == "main")
        #expect(store.s3.endpoint == "http://10.0.0.2:9000")
        #expect(cluster.witness == WitnessConfiguration(.server(url: "https://w.example:3001")))
        // It is told that it has no token.
        #expect(file.warnings.map(\.short) == ["adjusted 2:79"])
        #expect(file.warnings.first?.message.contains("wants a token") == true)
    }

    @Test("Mappings take what a replica takes, and the top level's keys where they say nothing")
    func mappings() throws {
        let text = """
            access-key-id: shared
            secret-access-key: $SECRET
            region: eu-1
            dbs:
              - path: /d/app.db
                replica: {type: s3, bucket: app, path: main, endpoint: http://10.0.0.1:9000}
            cluster:
              peer-store:
                type: s3
                bucket: other
                path: main
                endpoint: http://10.0.0.2:9000
                access-key-id: theirs
                secret-access-key: $THEIRS
              witness:
                url: https://w.example:3001
                token: $TOKEN
                certificate-authorities: ca.pem
            """
        let environment = ["SECRET": "mine-mine", "THEIRS": "theirs-theirs", "TOKEN": "0123456789abcdef"]
        let file = try parse(text, environment: environment)
        #expect(file.warnings.isEmpty)
        let cluster = try #require(file.configuration.cluster)
        let (own, store) = (file.configuration.databases[0].replica, try #require(cluster.peerStore))
        #expect(store.s3.bucket == "other" && store.s3.accessKeyID?.exposed == "theirs")
        #expect(store.s3.secretAccessKey?.exposed == "theirs-theirs" && store.s3.region == "eu-1")
        #expect(own.s3.accessKeyID?.exposed == "shared" && own.s3.secretAccessKey?.exposed == "mine-mine")
        let access = try #require(cluster.witness?.access)
        #expect(access.token?.exposed == "0123456789abcdef")
        #expect(access.certificateAuthorities?.isAbsolute == true)
        for secret in environment.values { #expect(!"\(cluster)".contains(secret)) }
    }

    @Test("A folder can be a peer's store, and a store with keys of its own the witness")
    func stores() throws {
        let text = """
            dbs: [{path: /d/app.db, replica: {path: /data/own}}]
            access-key-id: shared
            secret-access-key: shared-secret
            cluster:
              peer-store: {path: /mnt/peer}
              witness: {url: 's3://third/w?region=eu-2', access-key-id: w, secret-access-key: w-secret}
            """
        let file = try parse(text)
        #expect(file.warnings.isEmpty)
        let cluster = try #require(file.configuration.cluster)
        #expect(cluster.peerStore?.type == .file && cluster.peerStore?.path == "/mnt/peer")
        guard case .store(let witness)? = cluster.witness?.place else {
            Issue.record("the witness is no store")
            return
        }
        #expect(witness.s3.bucket == "third" && witness.path == "w" && witness.s3.region == "eu-2")
        #expect(witness.s3.accessKeyID?.exposed == "w")
        // The defaults are those of replicas.
        let bare = try parse(text.replacing(", access-key-id: w, secret-access-key: w-secret", with: ""))
        guard case .store(let other)? = bare.configuration.cluster?.witness?.place else {
            Issue.record("the witness is no store")
            return
        }
        #expect(other.s3.accessKeyID == nil)
    }

    static let refusals: [ClusterConfigurationTests.Refusal] = [
        .init("witness: 'http://w'", .conflict, "2:20", "holds the lease itself"),
        .init("unsafe-auto-promote: true", .conflict, "2:32", "leave it out"),
        .init("\(peer), witness: 'https://w', unsafe-auto-promote: true", .conflict, "2:113", "leave it out"),
        .init("\(peer), unsafe-auto-promote: true", .invalidValue, "2:91", "needs 'health-url'"),
        .init(
            "peer-store: 's3://app/main?endpoint=http://10.0.0.1:9000', witness: 'http://w'",
            .conflict,
            "2:23",
            "the one on the other"
        ),
        .init(
            "peer-store: 's3://app/main/?endpoint=http://10.0.0.1:9000', witness: 'http://w'",
            .conflict,
            "2:23",
            "as the database's 'replica'"
        ),
        .init("peer-store: /mnt/peer, witness: 'http://w'", .invalidValue, "2:23", "s3://BUCKET/PATH or file:///PATH"),
        .init("peer-store: 'http://10.0.0.2/app', witness: 'http://w'", .invalidValue, "2:23", "unknown scheme"),
        .init("peer-store: [a], witness: 'http://w'", .invalidValue, "2:23", "must be a mapping"),
        .init("peer-store: {type: s3}, witness: 'http://w'", .missingKey, "2:23", "no 'bucket' or 'url'"),
        .init(
            "peer-store: {url: 's3://a/b', path: c}, witness: 'http://w'",
            .conflict,
            "2:41",
            "both 'url' and 'path'"
        ),
        .init("peer-store: {url: 's3://a/b', sync-interval: 1s}, witness: 'http://w'", .unknownKey, "2:41", "belongs"),
        .init(
            "peer-store: {url: 's3://a/b', access-key-id: x}, witness: 'http://w'",
            .invalidValue,
            "2:56",
            "is given without"
        ),
        .init("\(peer), witness: 'ftp://w'", .invalidValue, "2:79", "must begin with https://"),
        .init("\(peer), witness: 'http://user:sesame@w'", .invalidValue, "2:79", "it has a token"),
        .init("\(peer), witness: {token: 0123456789}", .missingKey, "2:79", "has no 'url'"),
        .init("\(peer), witness: {url: 'http://w', tokn: x}", .unknownKey, "2:97", "nearest known one is 'token'"),
        .init("\(peer), witness: {url: 'http://w', token: short}", .invalidValue, "2:104", "at least 8 characters"),
        .init("\(peer), witness: 's3://app/main?endpoint=http://10.0.0.2:9000'", .conflict, "2:79", "as 'peer-store'"),
        .init("\(peer), witness: 's3://app/main?endpoint=http://10.0.0.1:9000'", .conflict, "2:79", "a third place"),
    ]

    @Test("What cannot work is refused at its place, with what to write", arguments: refusals)
    func refused(_ refusal: ClusterConfigurationTests.Refusal) {
        let error = parseError(Self.one(refusal.top))
        #expect(error?.code == refusal.code && error?.place == refusal.place, "\(error?.description ?? "")")
        #expect(error?.message.contains(refusal.words) == true, "\(error?.message ?? "")")
        #expect(error?.message.contains("sesame") == false)
    }

    @Test("W9 Without a witness two stores are enough; a node that speaks for a person is warned of")
    func withoutWitness() throws {
        let plain = try parse(Self.one(Self.peer))
        #expect(plain.configuration.cluster?.witness == nil && plain.configuration.cluster?.peerStore != nil)
        #expect(plain.configuration.cluster?.isUnsafelyPromoted == false)
        #expect(plain.warnings.isEmpty, "\(plain.warnings)")
        let health = "health-url: 'http://10.0.0.2:3000/health'"
        let unsafe = try parse(Self.one("\(Self.peer), \(health), unsafe-auto-promote: true"))
        let settings = try NodeConfiguration(unsafe.configuration, beginning: .waits)
        #expect(settings.isUnsafelyPromoted)
        #expect(unsafe.warnings.map { $0.message.contains("may both write") } == [true], "\(unsafe.warnings)")
    }

    @Test(
        "What its owner should know of the witness",
        arguments: [
            ("{url: 'http://w:3001', token: 0123456789}", "travels in the open"),
            ("{url: 'https://w:3001', token: 0123456789}", ""),
            ("'http://127.0.0.1:3001'", "is on this host"),
            ("{url: 'https://10.0.0.2:3001', token: 0123456789}", "on 10.0.0.2, as 'peer-store'"),
            ("{url: 'https://10.0.0.1:3001', token: 0123456789}", "on 10.0.0.1, as the database's 'replica'"),
            ("'s3://third/w?endpoint=http://10.0.0.2:9000'", "on 10.0.0.2, as 'peer-store'"),
            ("'s3://third/w?endpoint=http://10.0.0.3:9000'", ""),
            ("{url: 's3://third/w', token: 0123456789}", "'token' has no effect"),
            ("{url: 'https://w', token: 0123456789, region: eu-1}", "'region' has no effect"),
        ]
    )
    func warnings(_ witness: String, _ words: String) throws {
        let warnings = try parse(Self.one("\(Self.peer), witness: \(witness)")).warnings
        #expect(warnings.map { $0.message.contains(words) } == (words.isEmpty ? [] : [true]), "\(warnings)")
    }
}
