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

@Suite struct FolderStoreTests {
    @Test("What is put from memory comes back, whole and in ranges; its file has the object's time")
    func putAndGet() async throws {
        try await withTemporaryFolder { folder in
            let store = FolderStore(root: folder.appending("a/b"))
            let time = Timestamp(rawValue: 1_136_214_245_973)
            let bytes = pattern(300_000)
            try await store.put("ltx/0/x", .bytes(bytes), metadata: ObjectMetadata(timestamp: time), condition: .none)
            let status = try folder.appending("a/b/ltx/0/x").stat()
            #expect(status.st_mtim.tv_nsec == 973_000_000 && status.st_atim.tv_nsec == 973_000_000)
            #expect(try await store.get("ltx/0/x", range: nil) == bytes)
            #expect(try await store.get("ltx/0/x", range: 17..<200_017) == bytes.getSlice(at: 17, length: 200_000))
            #expect(try await store.get("ltx/0/x", range: 299_999..<300_000).readableBytes == 1)
            let info = try await store.head("ltx/0/x")
            #expect(info.byteCount == 300_000 && info.modified == time && info.metadata.timestamp == time)
        }
    }

    @Test("What is put from a file comes back, of any size", arguments: [0, 1, 65_536, 65_537, 9_000_001])
    func putFile(size: Int) async throws {
        try await withTemporaryFolder { folder in
            let store = FolderStore(root: folder.appending("store"))
            let bytes = pattern(size)
            try write(bytes, to: folder.appending("source"))
            try await store.put(
                "k",
                .file(folder.appending("source")),
                metadata: ObjectMetadata(timestamp: Timestamp(rawValue: 5)),
                condition: .none
            )
            #expect(try contents(of: folder.appending("store/k")) == bytes)
            #expect(try await store.head("k").modified == Timestamp(rawValue: 5))
            let count = try await store.download("k", to: folder.appending("copy"))
            #expect(count == Int64(size))
            #expect(try contents(of: folder.appending("copy")) == bytes)
            #expect(try await store.keys("") == ["k"])
        }
    }

    @Test(
        "A file that nobody needs any more is moved, and has the store's mode and the object's time",
        arguments: [17, 99_999]
    )
    func putTemporary(size: Int) async throws {
        try await withTemporaryFolder { folder in
            let store = FolderStore(root: folder.appending("store"), fileMode: FilePermissions(rawValue: 0o640))
            let (bytes, source) = (pattern(size), folder.appending("source"))
            try write(bytes, to: source)
            let inode = try source.stat().inode
            let time = Timestamp(rawValue: 1_136_214_245_973)
            let version = try await store.put(
                "a/k",
                .temporary(source),
                metadata: ObjectMetadata(timestamp: time),
                condition: .ifAbsent
            )
            let status = try folder.appending("store/a/k").stat()
            #expect(status.inode == inode && status.permissions == FilePermissions(rawValue: 0o640))
            #expect(throws: Errno.noSuchFileOrDirectory) { try source.stat() }
            #expect(try await store.get("a/k", range: nil) == bytes)
            let info = try await store.head("a/k")
            #expect(info.modified == time && info.version == version)
        }
    }

    @Test("A file that was made where the store can take it is in no listing before it is put")
    func placeForTemporary() async throws {
        try await withTemporaryFolder { folder in
            let store = FolderStore(root: folder.appending("store"))
            let place = try #require(try await store.placeForTemporary("a/b/k"))
            try write(pattern(70_000), to: place)
            #expect(try await store.list(prefix: "").isEmpty)
            let inode = try place.stat().inode
            try await store.put("a/b/k", .temporary(place), metadata: .init(), condition: .none)
            #expect(try await store.list(prefix: "").map(\.key) == ["a/b/k"])
            #expect(try folder.appending("store/a/b/k").stat().inode == inode)
            #expect(try await store.get("a/b/k", range: nil) == pattern(70_000))
        }
    }

    @Test("A file with a second name is copied, and so is one of another file system")
    func putSharedTemporary() async throws {
        try await withTemporaryFolder { folder in
            let store = FolderStore(root: folder.appending("store"))
            let (bytes, source) = (pattern(99_999), folder.appending("source"))
            try write(bytes, to: source)
            #expect(link(source.string, folder.appending("second").string) == 0)
            try await store.put("k", .temporary(source), metadata: .init(), condition: .none)
            let inode = try source.stat().inode
            #expect(try folder.appending("store/k").stat().inode != inode)
            #expect(try await store.get("k", range: nil) == bytes)

            guard access("/dev/shm", W_OK) == 0 else { return }
            let elsewhere = FilePath("/dev/shm/temporary-\(UInt64.random(in: .min ... .max))")
            try write(bytes, to: elsewhere)
            defer { unlink(elsewhere.string) }
            try await store.put("l", .temporary(elsewhere), metadata: .init(), condition: .none)
            #expect(try await store.get("l", range: nil) == bytes)
        }
    }

    @Test("A file that is moved to a taken name is not put")
    func putTemporaryTaken() async throws {
        try await withTemporaryFolder { folder in
            let store = FolderStore(root: folder.appending("store"))
            try await store.put("k", .bytes(pattern(5)), metadata: .init(), condition: .none)
            try write(pattern(7), to: folder.appending("source"))
            let error = await #expect(throws: ObjectStoreError.self) {
                try await store.put(
                    "k",
                    .temporary(folder.appending("source")),
                    metadata: .init(),
                    condition: .ifAbsent
                )
            }
            #expect(error?.code == .conditionFailed)
            #expect(try await store.get("k", range: nil) == pattern(5))
        }
    }

    @Test("Files and folders get the modes asked for, whatever the umask")
    func modes() async throws {
        try await withTemporaryFolder { folder in
            let store = FolderStore(
                root: folder.appending("s"),
                fileMode: [.ownerReadWrite, .groupReadWrite, .otherRead],
                folderMode: [.ownerReadWriteExecute, .groupReadWriteExecute]
            )
            try await store.put("a/k", "x")
            #expect(try folder.appending("s/a/k").stat().permissions == FilePermissions(rawValue: 0o664))
            #expect(try folder.appending("s/a").stat().permissions == FilePermissions(rawValue: 0o770))
            #expect(try folder.appending("s").stat().permissions == FilePermissions(rawValue: 0o770))
            try await FolderStore(root: folder.appending("d")).put("a/k", "x")
            #expect(try folder.appending("d/a/k").stat().permissions == FilePermissions(rawValue: 0o600))
            #expect(try folder.appending("d/a").stat().permissions == FilePermissions(rawValue: 0o700))
        }
    }

    @Test(
        "A listing is in byte order of the keys, knows prefixes, and leaves out unfinished files and links to folders"
    )
    func listing() async throws {
        try await withTemporaryFolder { folder in
            let store = FolderStore(root: folder)
            let keys = ["a.b", "a/b/c", "a/b.c", "a0", "z/é", "z/e\u{301}", "ab/x", "A"]
            for key in keys { try await store.put(key, key) }
            try write(ByteBuffer(string: "x"), to: folder.appending("a/b/left.tmp"))
            folder.appending("loop").withPlatformString { link in
                _ = folder.withPlatformString { symlink($0, link) }
            }
            let sorted = keys.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
            #expect(try await store.keys("") == sorted)
            #expect(try await store.keys("a") == sorted.filter { $0.hasPrefix("a") })
            #expect(try await store.keys("a/b") == ["a/b.c", "a/b/c"])
            #expect(try await store.keys("a/b/") == ["a/b/c"])
            #expect(try await store.keys("nowhere/at/all/").isEmpty)
            #expect(try await store.keys("a0/x").isEmpty)
            #expect(try await FolderStore(root: folder.appending("missing")).keys("").isEmpty)
        }
    }

    @Test("Deleting takes what is there, and no offence at what is not")
    func deleting() async throws {
        try await withTemporaryFolder { folder in
            let store = FolderStore(root: folder)
            for key in ["a/1", "a/2", "b"] { try await store.put(key, key) }
            try await store.delete(["a/1", "nothing", "a/1", "a", "b/x"])
            #expect(try await store.keys("") == ["a/2", "b"])
            try await store.delete([])
        }
    }

    @Test("What is not there, too short or no object is told apart", arguments: ["none", "a", "b/x"])
    func missing(key: String) async throws {
        try await withTemporaryFolder { folder in
            let store = FolderStore(root: folder)
            try await store.put("a/1", "12345")
            try await store.put("b", "x")
            await expectError(.notFound, naming: [key]) { _ = try await store.get(key, range: nil) }
            await expectError(.notFound, naming: [key]) { _ = try await store.head(key) }
            await expectError(.notFound, naming: [key]) {
                _ = try await store.download(key, to: folder.appending("out"))
            }
            #expect((try? folder.appending("out").stat()) == nil)
            await expectError(.truncated, naming: ["a/1", "5 bytes"]) { _ = try await store.get("a/1", range: 3..<6) }
        }
    }

    @Test(
        "Keys that would leave the folder, or that no listing would show, are refused",
        arguments: ["", "/a", "a/", "a//b", "../a", "a/../b", ".", "a/.", "a\0b", "a.tmp"]
    )
    func badKeys(key: String) async throws {
        try await withTemporaryFolder { folder in
            let store = FolderStore(root: folder.appending("s"))
            await expectError(.invalidRequest) { try await store.put(key, "x") }
            await expectError(.invalidRequest) { _ = try await store.get(key, range: nil) }
            await expectError(.invalidRequest) { try await store.delete(["good", key]) }
            #expect(store.localFile(key) == nil)
            #expect((try? folder.appending("s").stat()) == nil)
        }
        #expect(FolderStore(root: "/r").localFile("a/b") == "/r/a/b")
    }

    @Test("A put that cannot be carried out leaves nothing behind and says why")
    func failedPut() async throws {
        try await withTemporaryFolder { folder in
            let store = FolderStore(root: folder)
            try await store.put("file", "x")
            await expectError(.notFound, naming: ["file/k"]) { try await store.put("file/k", "x") }
            try await store.put("d/k", "x")
            await expectError(.fileSystem, naming: ["'\(folder)/d'"]) { try await store.put("d", "x") }
            await expectError(.notFound, naming: ["no-source"]) {
                try await store.put("k", .file(folder.appending("no-source")), metadata: .init(), condition: .none)
            }
            let long = String(repeating: "n", count: 255)
            await expectError(.invalidRequest, naming: ["too long"]) { try await store.put(long, "x") }
            #expect(try await store.removeLeftovers(under: "", olderThan: .seconds(-60)) == 0)
            #expect(try await store.keys("") == ["d/k", "file"])
        }
    }

    @Test("What a crash left is removed by age, and nothing else")
    func leftovers() async throws {
        try await withTemporaryFolder { folder in
            let store = FolderStore(root: folder)
            try await store.put("a/k", "x")
            try write(ByteBuffer(string: "x"), to: folder.appending("a/k.123.tmp"))
            #expect(try await store.removeLeftovers(under: "a/", olderThan: .seconds(3600)) == 0)
            #expect(try await store.removeLeftovers(under: "a/", olderThan: .seconds(-60)) == 1)
            #expect(try await store.keys("") == ["a/k"])
        }
    }

    @Test("A download goes to no device, and takes none away")
    func downloadToDevice() async throws {
        try await withTemporaryFolder { folder in
            let store = FolderStore(root: folder.appending("s"))
            try await store.put("k", "x")
            let pipe = folder.appending("pipe")
            try await ChildProcess.run("mkfifo", [pipe.string]).checked()
            await expectError(.fileSystem, naming: [pipe.string]) { _ = try await store.download("k", to: pipe) }
            #expect(try pipe.stat().type == .fifo)
        }
    }

    @Test("A full disk and a used-up quota are told as such, and other trouble by its kind")
    func kinds() {
        let kinds: [(Errno, ObjectStoreError.Code)] = [
            (.noSpace, .diskFull), (.diskQuotaExceeded, .diskFull), (.permissionDenied, .accessDenied),
            (.readOnlyFileSystem, .accessDenied), (.noSuchFileOrDirectory, .notFound), (.ioError, .fileSystem),
        ]
        for (errno, code) in kinds {
            let error = ObjectStoreError.file("Writing", "/a/b", errno)
            #expect(error.code == code && error.message.hasPrefix("Writing '/a/b': ") && error.cause as? Errno == errno)
        }
    }
}
