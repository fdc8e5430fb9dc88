import NIOCore
import ObjectStorage
import SystemPackage
import TestSupport
import Testing

@Suite struct FolderConditionTests {
    @Test("Put-if-absent stores once; a second one changes nothing", arguments: [10, 100_000])
    func ifAbsent(size: Int) async throws {
        try await withTemporaryFolder { folder in
            let store = FolderStore(root: folder)
            let first = String(repeating: "1", count: size)
            let version = try await store.put("d/k", first, if: .ifAbsent)
            await expectError(.conditionFailed, naming: ["d/k"]) {
                try await store.put("d/k", String(repeating: "2", count: size), if: .ifAbsent)
            }
            #expect(try await store.text("d/k") == first)
            #expect(try await store.head("d/k").version == version)
            #expect(try folder.appending("d/k").stat().linkCount == 1)
            #expect(try await store.removeLeftovers(under: "", olderThan: .seconds(-60)) == 0)
        }
    }

    @Test("Compare and swap replaces the version it was told, and no other", arguments: [10, 100_000])
    func ifVersion(size: Int) async throws {
        try await withTemporaryFolder { folder in
            let store = FolderStore(root: folder)
            func text(_ digit: Character) -> String { String(repeating: digit, count: size) }
            let first = try #require(try await store.put("k", text("1")))
            await expectError(.conditionFailed) {
                try await store.put("other", "x", if: .ifVersion(first))
            }
            let second = try #require(try await store.put("k", text("2"), if: .ifVersion(first)))
            #expect(second != first)
            await expectError(.conditionFailed, naming: ["'\(folder)/k'"]) {
                try await store.put("k", text("3"), if: .ifVersion(first))
            }
            #expect(try await store.head("k").version == second)
            #expect(try await store.text("k") == text("2"))
            #expect(try await store.keys("") == ["k"])
            #expect(try await store.removeLeftovers(under: "", olderThan: .seconds(-60)) == 0)
        }
    }

    @Test("A lock file that a crash left is in nobody's way")
    func staleLock() async throws {
        try await withTemporaryFolder { folder in
            let store = FolderStore(root: folder)
            let version = try #require(try await store.put("k", "1"))
            try write(ByteBuffer(), to: folder.appending("k.lock.tmp"))
            try await store.put("k", "2", if: .ifVersion(version))
            #expect(try await store.text("k") == "2")
            #expect(try await store.removeLeftovers(under: "", olderThan: .seconds(-60)) == 0)
        }
    }

    @Test("Of writers that race with put-if-absent exactly one wins", .timeLimit(.minutes(1)))
    func absentRace() async throws {
        try await withTemporaryFolder { folder in
            for round in 0..<50 {
                let winners = await withTaskGroup(of: String?.self) { group in
                    for writer in 0..<8 {
                        group.addTask {
                            let store = FolderStore(root: folder)
                            let isStored = (try? await store.put("k\(round)", "\(writer)", if: .ifAbsent)) != nil
                            return isStored ? "\(writer)" : nil
                        }
                    }
                    return await group.reduce(into: [String]()) { if let winner = $1 { $0.append(winner) } }
                }
                #expect(winners.count == 1)
                let stored = try await FolderStore(root: folder).text("k\(round)")
                #expect(stored == winners.first)
            }
        }
    }

    @Test("A counter that racing writers raise by compare and swap misses no step", .timeLimit(.minutes(3)))
    func swapRace() async throws {
        try await withTemporaryFolder { folder in
            try await FolderStore(root: folder).put("n", "0")
            try await withThrowingTaskGroup { group in
                for _ in 0..<6 {
                    group.addTask {
                        let store = FolderStore(root: folder)
                        var raised = 0
                        while raised < 10 {
                            let text = try await store.text("n")
                            // The version of a small object goes by its content, so this is that of the text read.
                            guard let version = try await store.head("n").version, let number = Int(text) else {
                                continue
                            }
                            guard try await store.text("n") == text else { continue }
                            do {
                                try await store.put("n", "\(number + 1)", if: .ifVersion(version))
                                raised += 1
                            } catch let error as ObjectStoreError {
                                guard error.code == .conditionFailed else { throw error }
                            }
                        }
                    }
                }
                try await group.waitForAll()
            }
            #expect(try await FolderStore(root: folder).text("n") == "60")
            #expect(try await FolderStore(root: folder).keys("") == ["n"])
        }
    }

    @Test("Readers meet the old object or the new one, and never a mixture", .timeLimit(.minutes(1)))
    func replacing() async throws {
        try await withTemporaryFolder { folder in
            let store = FolderStore(root: folder)
            let versions = (0..<2).map { String(repeating: "\($0)", count: 200_000 + $0) }
            try await store.put("k", versions[0])
            try await withThrowingTaskGroup { group in
                group.addTask { for round in 1...40 { try await store.put("k", versions[round % 2]) } }
                group.addTask {
                    for _ in 0..<200 {
                        let text = try await store.text("k")
                        #expect(versions.contains(text))
                    }
                }
                try await group.waitForAll()
            }
        }
    }
}
