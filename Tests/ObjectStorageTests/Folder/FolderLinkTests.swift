import NIOCore
import SystemPackage
import TestSupport
import Testing

@testable import ObjectStorage

#if canImport(Darwin)
    import Darwin
#elseif canImport(Glibc)
    import Glibc
#endif

@Suite struct FolderLinkTests {
    private let time = Timestamp(rawValue: 1_136_214_245_973)
    private var metadata: ObjectMetadata { ObjectMetadata(timestamp: time) }

    /// A file as the store wants it.
    private func makeFile(_ path: FilePath, _ bytes: ByteBuffer) throws {
        try write(bytes, to: path)
        try OpenFile.reading(path).setTimes(time)
    }

    private func links(_ path: FilePath) throws -> Int { Int(try path.stat().linkCount) }

    @Test(
        "A file that nobody changes any more is linked, not copied, and outlives its first name",
        arguments: [17, 99_999]
    )
    func linked(size: Int) async throws {
        try await withTemporaryFolder { folder in
            let store = FolderStore(root: folder.appending("store"))
            let (bytes, source) = (pattern(size), folder.appending("source"))
            try makeFile(source, bytes)
            let before = try source.stat()
            let version = try await store.put("a/k", .immutable(source), metadata: metadata, condition: .ifAbsent)
            let status = try folder.appending("store/a/k").stat()
            #expect(status.inode == before.inode && status.linkCount == 2)
            #expect(status.permissions == before.permissions && status.isModified(at: time))
            let info = try await store.head("a/k")
            #expect(info.modified == time && info.version == version)
            #expect(try await store.keys("") == ["a/k"])
            removeUnfinished(source)
            #expect(try await store.get("a/k", range: nil) == bytes)
            try await store.delete(["a/k"])
            #expect(try await store.keys("").isEmpty)
        }
    }

    @Test("Deleting the object leaves the file alone")
    func deleted() async throws {
        try await withTemporaryFolder { folder in
            let (store, source) = (FolderStore(root: folder.appending("store")), folder.appending("source"))
            try makeFile(source, pattern(5))
            try await store.put("k", .immutable(source), metadata: metadata, condition: .ifAbsent)
            try await store.delete(["k"])
            #expect(try contents(of: source) == pattern(5))
            #expect(try links(source) == 1)
            // A put that replaces the object leaves what the other name stands for alone, too.
            try await store.put("k", .immutable(source), metadata: metadata, condition: .ifAbsent)
            try await store.put("k", "other")
            #expect(try contents(of: source) == pattern(5))
            #expect(try links(source) == 1)
            #expect(try await store.text("k") == "other")
        }
    }

    @Test("A taken name is not given: not to another file, and not to the same one again")
    func taken() async throws {
        try await withTemporaryFolder { folder in
            let (store, source) = (FolderStore(root: folder.appending("store")), folder.appending("source"))
            try makeFile(source, pattern(7))
            try await store.put("k", "there")
            await expectError(.conditionFailed, naming: ["store/k"]) {
                try await store.put("k", .immutable(source), metadata: metadata, condition: .ifAbsent)
            }
            #expect(try await store.text("k") == "there")
            try await store.put("l", .immutable(source), metadata: metadata, condition: .ifAbsent)
            await expectError(.conditionFailed, naming: ["store/l"]) {
                try await store.put("l", .immutable(source), metadata: metadata, condition: .ifAbsent)
            }
            #expect(try links(source) == 2)
            #expect(try await store.keys("") == ["k", "l"])
        }
    }

    @Test("Of many who create one object at a time, one succeeds")
    func race() async throws {
        try await withTemporaryFolder { folder in
            let store = FolderStore(root: folder.appending("store"))
            for number in 0..<8 { try makeFile(folder.appending("\(number)"), pattern(100, seed: UInt64(number + 1))) }
            let winners = await withTaskGroup(of: Int?.self) { group in
                for number in 0..<8 {
                    group.addTask {
                        let body = ObjectBody.immutable(folder.appending("\(number)"))
                        let done = try? await store.put("a/k", body, metadata: metadata, condition: .ifAbsent)
                        return done == nil ? nil : number
                    }
                }
                return await group.reduce(into: [Int]()) { if let number = $1 { $0.append(number) } }
            }
            #expect(winners.count == 1)
            let content = try await store.get("a/k", range: nil)
            #expect(winners.first.map { pattern(100, seed: UInt64($0 + 1)) } == content)
        }
    }

    enum Reason: CaseIterable { case mode, time, owner, symbolicLink, fileSystem, replacing, comparing, folder }

    @Test("What cannot be linked is copied, and the file stays as it is", arguments: Reason.allCases)
    func copied(reason: Reason) async throws {
        try await withTemporaryFolder { folder in
            var source = folder.appending("source")
            var condition = PutCondition.ifAbsent
            var owner: FolderStore.Owner?
            let bytes = pattern(70_000)
            try makeFile(source, bytes)
            switch reason {
            case .mode: #expect(chmod(source.string, 0o640) == 0)
            case .time: try OpenFile.reading(source).setTimes(time.advanced(by: .milliseconds(-1)))
            case .owner: owner = FolderStore.Owner(user: geteuid() &+ 1, group: getegid())
            case .symbolicLink:
                #expect(symlink(source.string, folder.appending("symbolic").string) == 0)
                source = folder.appending("symbolic")
            case .fileSystem:
                guard access("/dev/shm", W_OK) == 0 else { return }
                source = FilePath("/dev/shm/linked-\(UInt64.random(in: .min ... .max))")
                try makeFile(source, bytes)
            case .replacing: condition = .none
            case .comparing: break
            case .folder: break
            }
            defer { if reason == .fileSystem { removeUnfinished(source) } }
            let store = FolderStore(root: folder.appending("store"), owner: owner)
            if reason == .comparing {
                condition = .ifVersion(try #require(try await store.put("a/k", "old")))
            }
            if reason == .folder {
                await expectError(.fileSystem, naming: ["\(folder)"]) {
                    try await store.put("k", .immutable(folder), metadata: metadata, condition: .ifAbsent)
                }
                return
            }
            let before = try source.stat()
            let version = try await store.put("a/k", .immutable(source), metadata: metadata, condition: condition)
            let status = try folder.appending("store/a/k").stat()
            #expect(status.inode != before.inode && status.linkCount == 1)
            #expect(status.permissions == [.ownerReadWrite] && status.isModified(at: time))
            #expect(try await store.get("a/k", range: nil) == bytes)
            #expect(try await store.head("a/k").version == version)
            let after = try source.stat()
            #expect(after.changeTime == before.changeTime && after.linkCount == 1)
            #expect(try await store.removeLeftovers(under: "", olderThan: .seconds(-60)) == 0)
        }
    }

    @Test("A file that is missing is told as such")
    func missing() async throws {
        try await withTemporaryFolder { folder in
            let store = FolderStore(root: folder.appending("store"))
            await expectError(.notFound, naming: ["no-source"]) {
                let body = ObjectBody.immutable(folder.appending("no-source"))
                try await store.put("k", body, metadata: metadata, condition: .ifAbsent)
            }
            let keys = try await store.keys("")
            #expect(keys.isEmpty)
        }
    }
}
