import Testing

@testable import SQLiteReplicate

/// Timing that stands with databases and replicas and counts for all, and what all replicas inherit.
@Suite struct ConfigurationSharedTimingTests {
    @Test("A database's snapshot timing counts for all where the top level says nothing")
    func promoted() throws {
        let text =
            "dbs: [{path: /a, snapshot: {interval: 2h, retention: 3h}, replica: {path: /x}}, {path: /b, replica: {path: /y}}]"
        let configuration = try parse(text).configuration
        #expect(configuration.snapshot.interval == .seconds(7200))
        #expect(configuration.snapshot.retention == .seconds(10_800))
    }

    @Test("The top level's timing goes before a database's, with a warning where they differ")
    func topLevelFirst() throws {
        let text = "snapshot: {interval: 1h}\ndbs: [{path: /a, snapshot: {interval: 2h}, replica: {path: /x}}]"
        let file = try parse(text)
        #expect(file.configuration.snapshot.interval == .seconds(3600))
        #expect(file.warnings.map(\.short) == ["ignored 2:39"])
        #expect(try parse(text.replacing("2h", with: "60m")).warnings.isEmpty)
    }

    @Test("0.3's timing at the top level does what it says")
    func outdatedTop() throws {
        let text =
            "retention: 72h\nsnapshot-interval: 6h\nretention-check-interval: 2h\ndbs: [{path: /a, replica: {path: /x}}]"
        let file = try parse(text)
        #expect(file.configuration.snapshot.retention == .seconds(72 * 3600))
        #expect(file.configuration.snapshot.interval == .seconds(6 * 3600))
        #expect(file.configuration.retentionCheckInterval == .seconds(7200))
        #expect(file.configuration.retentionEnabled)
        #expect(file.warnings.map(\.short) == ["outdated 1:1", "outdated 2:1", "outdated 3:1"])
    }

    @Test("0.5's key goes before 0.3's of the same meaning")
    func successorFirst() throws {
        let text = "snapshot: {retention: 48h}\nretention: 72h"
        #expect(try parse(text).configuration.snapshot.retention == .seconds(48 * 3600))
    }

    @Test("0.3's timing that differs between replicas is refused")
    func outdatedConflict() throws {
        let text =
            "dbs: [{path: /a, replica: {path: /x, retention: 1h}}, {path: /b, replica: {path: /y, retention: 2h}}]"
        let error = try #require(parseError(text))
        #expect(error.code == .conflict && error.message.contains("snapshot.retention"))
    }

    @Test("Of several retention-check-intervals the shortest counts")
    func shortestCheck() throws {
        let text = """
            dbs:
              - {path: /a, replica: {path: /x, retention-check-interval: 2h}}
              - {path: /b, replica: {path: /y, retention-check-interval: 1h}}
            """
        #expect(try parse(text).configuration.retentionCheckInterval == .seconds(3600))
    }

    @Test("Replicas inherit what the top level says; their own keys go first")
    func inherited() throws {
        let text = """
            access-key-id: AK
            secret-access-key: SK
            region: r1
            sync-interval: 5s
            part-size: 16MiB
            skip-verify: true
            bucket: shared
            dbs:
              - {path: /a, replica: {type: s3, path: p}}
              - {path: /b, replica: {type: s3, path: q, bucket: own, region: r2, sync-interval: 1m, skip-verify: false}}
              - {path: /c, replica: {url: "s3://other/x?region=r3&concurrency=9"}}
              - {path: /d, replica: {path: /folder}}
            """
        let file = try parse(text)
        let replicas = file.configuration.databases.map(\.replica)
        #expect(replicas.map(\.s3.bucket).prefix(3) == ["shared", "own", "other"])
        #expect(replicas.map(\.s3.region).prefix(3) == ["r1", "r2", "r1"])
        #expect(replicas.map(\.syncInterval) == [.seconds(5), .seconds(60), .seconds(5), .seconds(5)])
        #expect(replicas.prefix(3).allSatisfy { $0.s3.partSize == 16 << 20 && $0.s3.accessKeyID == Secret("AK") })
        #expect(replicas.map(\.s3.skipVerify).prefix(3) == [true, false, true])
        #expect(replicas[2].s3.concurrency == 9)
        #expect(file.warnings.isEmpty)
    }

    @Test("A wrong default of all replicas is named where it stands")
    func inheritedError() throws {
        let error = try #require(parseError("sync-interval: -1s\ndbs: [{path: /a, replica: {path: /x}}]"))
        #expect(error.place == "1:16")
        #expect(error.message.contains("sync-interval"))
    }

    @Test("Keys of replica types that are not served are taken with a warning")
    func foreign() throws {
        let file = try parse("account-key: k\ndbs: [{path: /a, replica: {path: /x, host: h}}]")
        #expect(file.warnings.map(\.short) == ["ignored 1:1", "ignored 2:38"])
        #expect(file.warnings.map(\.message)[1].contains("sftp"))
    }

    @Test("Anchors and merge keys are followed, own keys first")
    func anchors() throws {
        let text = """
            dbs:
              - path: /a
                replica: &base {type: s3, bucket: b, path: one, sync-interval: 3s}
              - path: /b
                replica: {<<: *base, path: two}
            """
        let replicas = try parse(text).configuration.databases.map(\.replica)
        #expect(replicas.map(\.path) == ["one", "two"])
        #expect(replicas.allSatisfy { $0.s3.bucket == "b" && $0.syncInterval == .seconds(3) })
    }

    @Test("A merge that asks for millions of entries is refused quickly")
    func mergeBomb() throws {
        var text = "a0: &a0 {x: 1}\n"
        for level in 1...9 {
            let merges = String(repeating: "*a\(level - 1), ", count: 9)
            text += "a\(level): &a\(level) {<<: [\(merges)]}\n"
        }
        let error = try #require(parseError(text + "<<: *a9\n"))
        #expect(error.message.contains("10000"))
    }
}
