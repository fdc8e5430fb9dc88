import NIOCore
import ObjectStorage
import SystemPackage
import TestSupport
import Testing

/// What both real servers have to do right.
@Suite(.enabled(if: Servers.areExpected, "S3 servers are not installed"), .timeLimit(.minutes(3)))
struct S3ServerTests {
    static let kinds: [S3TestServer.Kind] = [.moto, .gateway]

    @Test("What is put comes back, whole and in ranges, with its time", arguments: kinds)
    func putAndGet(kind: S3TestServer.Kind) async throws {
        try await withServer(kind) { server in
            let store = try server.store()
            let key = freshPrefix() + "0000/a b+c=d&é.ltx"
            let bytes = pattern(300_000)
            let time = Timestamp(rawValue: 1_136_214_245_970)
            let version = try await store.put(
                key,
                .bytes(bytes),
                metadata: ObjectMetadata(timestamp: time),
                condition: .none
            )
            #expect(try await store.get(key, range: nil) == bytes)
            #expect(try await store.get(key, range: 1..<200_001) == bytes.getSlice(at: 1, length: 200_000))
            #expect(try await store.get(key, range: 299_999..<300_000) == bytes.getSlice(at: 299_999, length: 1))
            let info = try await store.head(key)
            #expect(info.byteCount == 300_000 && info.metadata.timestamp == time && info.version == version)
            #expect(abs(info.modified.rawValue - Timestamp.now.rawValue) < 60_000)
            let listed = try #require(try await store.list(prefix: key).first)
            #expect(listed.key == key && listed.byteCount == 300_000 && listed.version == version)
            #expect(abs(listed.modified.rawValue - info.modified.rawValue) < 1000)
            let seen = try await server.python(
                "o = s3.head_object(Bucket=bucket, Key='\(key)')\n"
                    + "print(o['Metadata']['litestream-timestamp'], o['ContentType'], o['ContentLength'])"
            )
            #expect(seen == "2006-01-02T15:04:05.97Z application/octet-stream 300000\n")
        }
    }

    @Test("Empty objects, and files of any size, come back", arguments: kinds, [0, 1, 300_000, 5_242_880, 11_000_001])
    func files(kind: S3TestServer.Kind, size: Int) async throws {
        try await withServer(kind) { server in
            try await withTemporaryFolder { folder in
                let store = try server.store()
                let key = freshPrefix() + "x"
                let bytes = pattern(size, seed: UInt64(size))
                try write(bytes, to: folder.appending("source"))
                let time = Timestamp(rawValue: 1_136_214_245_001)
                let version = try await store.put(
                    key,
                    .file(folder.appending("source")),
                    metadata: ObjectMetadata(timestamp: time),
                    condition: .none
                )
                let info = try await store.head(key)
                #expect(info.byteCount == Int64(size) && info.metadata.timestamp == time && info.version == version)
                #expect(try await store.get(key, range: nil) == bytes)
                #expect(try await store.download(key, to: folder.appending("copy")) == Int64(size))
                #expect(try contents(of: folder.appending("copy")) == bytes)
                try await store.delete([key])
            }
        }
    }

    @Test("An object above the part size is stored in parts from memory too", arguments: kinds)
    func partsFromMemory(kind: S3TestServer.Kind) async throws {
        try await withServer(kind) { server in
            let store = try server.store { $0.concurrency = 2 }
            let key = freshPrefix() + "x"
            let bytes = pattern(12_000_000)
            try await store.put(key, .bytes(bytes), metadata: .init(), condition: .none)
            // One to begin, three parts, one to complete.
            #expect(store.requestCount == 5)
            #expect(try await store.get(key, range: nil) == bytes)
            #expect(try await store.head(key).version?.rawValue.contains("-3") == true)
        }
    }

    @Test("A listing of many pages is whole and in order; deleting them all takes batches", arguments: kinds)
    func manyKeys(kind: S3TestServer.Kind) async throws {
        try await withServer(kind) { server in
            let store = try server.store { $0.retry.maximumAttempts = 20 }
            let prefix = freshPrefix()
            let count = 1100
            let keys = (0..<count).map { prefix + "0000/k+ &é\($0 * 7919 % count)" }
            try await withThrowingTaskGroup { group in
                for start in 0..<8 {
                    group.addTask {
                        for index in stride(from: start, to: count, by: 8) { try await store.put(keys[index], "x") }
                    }
                }
                try await group.waitForAll()
            }
            let sorted = keys.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
            #expect(try await store.keys(prefix) == sorted)
            #expect(try await store.keys(prefix + "0000/k+ &é22").count == sorted.count { $0.contains("é22") })
            let before = store.requestCount
            try await store.delete(keys + [prefix + "none"])
            #expect(store.requestCount - before == (count + 1 + 999) / 1000)
            let left = try await store.list(prefix: prefix)
            #expect(left.isEmpty)
        }
    }

    @Test("Deleting one object, or one that is not there, succeeds", arguments: kinds)
    func deleteOne(kind: S3TestServer.Kind) async throws {
        try await withServer(kind) { server in
            let store = try server.store()
            let prefix = freshPrefix()
            try await store.put(prefix + "a", "x")
            try await store.delete([prefix + "a"])
            try await store.delete([prefix + "a"])
            try await store.delete([prefix + "a", prefix + "b"])
            #expect(try await store.keys(prefix).isEmpty)
        }
    }

    @Test("What is wrong is told by name", arguments: kinds)
    func errors(kind: S3TestServer.Kind) async throws {
        try await withServer(kind) { server in
            let store = try server.store()
            let key = freshPrefix() + "x"
            await expectError(.notFound, naming: [key]) { _ = try await store.get(key, range: nil) }
            await expectError(.notFound, naming: [key]) { _ = try await store.get(key, range: 0..<5) }
            await expectError(.notFound, naming: [key]) { _ = try await store.head(key) }
            try await store.put(key, "12345")
            await expectError(.truncated, naming: [key]) { _ = try await store.get(key, range: 3..<6) }
            await expectError(.truncated, naming: [key]) { _ = try await store.get(key, range: 10..<16) }
            #expect(store.requestCount == 6)
            let elsewhere = try server.store { $0.bucket = "no-such-bucket" }
            await expectError(.noSuchBucket, naming: ["'no-such-bucket'"]) { _ = try await elsewhere.list(prefix: "") }
            await expectError(.noSuchBucket, naming: ["'no-such-bucket'"]) { try await elsewhere.put("k", "x") }
            await expectError(.noSuchBucket) { _ = try await elsewhere.get("k", range: nil) }
        }
    }

    @Test("Wrong keys are refused by the gateway, and the message says which one is wrong")
    func wrongKeys() async throws {
        try await withGateway { server in
            let wrongSecret = try server.store {
                $0.credentials = .keys(S3Credentials(accessKeyID: server.accessKeyID, secretAccessKey: "hush-hush"))
            }
            await expectError(.accessDenied, naming: ["SignatureDoesNotMatch", "'minioadmin'"]) {
                _ = try await wrongSecret.list(prefix: "")
            }
            let wrongID = try server.store {
                $0.credentials = .keys(S3Credentials(accessKeyID: "nobody", secretAccessKey: "hush-hush"))
            }
            await expectError(.accessDenied, naming: ["'nobody'"]) { try await wrongID.put("k", "x") }
        }
    }

    @Test("Both servers say that they live; only one of them is MinIO")
    func health() async throws {
        try await withGateway { server in
            let isLive = try await server.store().isLive()
            #expect(isLive)
        }
        try await withMoto { server in
            let isLive = try await server.store().isLive()
            #expect(!isLive)
        }
    }

    @Test("moto honours conditions: of racing writers one wins; compare and swap replaces what it was told")
    func conditions() async throws {
        try await withMoto { server in
            let store = try server.store()
            let prefix = freshPrefix()
            for round in 0..<5 {
                let winners = await withTaskGroup(of: Int.self) { group in
                    for writer in 0..<8 {
                        group.addTask {
                            (try? await store.put("\(prefix)\(round)", "\(writer)", if: .ifAbsent)) == nil ? 0 : 1
                        }
                    }
                    return await group.reduce(0, +)
                }
                #expect(winners == 1)
            }
            let key = prefix + "swap"
            await expectError(.conditionFailed, naming: [key]) {
                try await store.put(
                    key,
                    "x",
                    if: .ifVersion(ObjectVersion(rawValue: "\"d41d8cd98f00b204e9800998ecf8427e\""))
                )
            }
            let first = try #require(try await store.put(key, "1", if: .ifAbsent))
            let second = try #require(try await store.put(key, "2", if: .ifVersion(first)))
            await expectError(.conditionFailed, naming: [key]) { try await store.put(key, "3", if: .ifVersion(first)) }
            await expectError(.conditionFailed, naming: [key]) { try await store.put(key, "3", if: .ifAbsent) }
            #expect(try await store.head(key).version == second)
            #expect(store.honoursConditions == nil)
        }
    }

    @Test("The gateway ignores put-if-absent, which is why nothing is assumed of a server")
    func ignoredCondition() async throws {
        try await withGateway { server in
            let store = try server.store()
            let key = freshPrefix() + "x"
            try await store.put(key, "1", if: .ifAbsent)
            try await store.put(key, "2", if: .ifAbsent)
            #expect(try await store.text(key) == "2")
        }
    }

    @Test("Keys with empty and dot components, as bare URLs make them, go through unchanged")
    func oddKeys() async throws {
        try await withMoto { server in
            let store = try server.store()
            for key in ["/0000/x", "./0000/x", "a//0000/x", "a/../b", "%41/~"] {
                try await store.put(key, key)
                #expect(try await store.text(key) == key)
                #expect(try await store.keys(key) == [key])
                let seen = try await server.python(
                    "print(s3.get_object(Bucket=bucket, Key='\(key)')['Body'].read().decode())"
                )
                #expect(seen == key + "\n")
            }
            try await store.delete(["/0000/x", "./0000/x", "a//0000/x", "a/../b", "%41/~"])
            #expect(try await store.keys("a").isEmpty)
        }
    }

    @Test("Storage class and encryption reach the server", arguments: [true, false])
    func headers(managed: Bool) async throws {
        try await withMoto { server in
            let key = freshPrefix() + "x"
            let store = try server.store {
                $0.storageClass = "STANDARD_IA"
                if managed {
                    $0.encryption = .managedKey(id: "k-1")
                } else {
                    let key = try S3CustomerKey(base64: "aHVzaGh1c2hodXNoaHVzaGh1c2hodXNoaHVzaGh1c2g=")
                    $0.encryption = .customerKey(key)
                }
            }
            for size in [10, 6_000_000] {
                let bytes = pattern(size)
                try await store.put(key, .bytes(bytes), metadata: .init(), condition: .none)
                #expect(try await store.get(key, range: nil) == bytes)
            }
            let seen = try await server.python(
                "o = [o for p in s3.get_paginator('list_objects_v2').paginate(Bucket=bucket, Prefix='\(key)') "
                    + "for o in p['Contents']]\nprint(o[0]['StorageClass'])"
            )
            #expect(seen == "STANDARD_IA\n")
        }
    }
}
