import Foundation
import Replication
import SystemPackage
import TestSupport
import Testing

@testable import Cluster

@Suite(.timeLimit(.minutes(1))) struct NodeMemoryFileTests {
    private func file(_ folder: FilePath, machine: String = "m1") -> NodeMemoryFile {
        NodeMemoryFile(MetadataFolder(root: folder.appending(".db-litestream")), machine: machine)
    }

    private func read(_ path: FilePath) throws -> String { try String(contentsOfFile: path.string, encoding: .utf8) }

    private let memory: NodeMemory = {
        var memory = NodeMemory(
            won: Epoch(rawValue: 7),
            promise: Promise(
                session: SessionID(rawValue: 11),
                length: .milliseconds(6600),
                given: Moment(reading: .nanoseconds(1_234_567_890_123)),
                boot: "boot"
            ),
            isDemoted: true,
            copyAt: 0x2a,
            owes: 0x1f
        )
        memory.tried = Epoch(rawValue: 65_544)
        memory.partOf = EpochStamp(epoch: Epoch(rawValue: 9), node: NodeID(rawValue: 2))
        (memory.isReleasing, memory.pagesAt) = (true, 0x2b)
        return memory
    }()

    @Test("A new node gets an id, and keeps it with all that it remembers")
    func life() async throws {
        try await withTemporaryFolder { folder in
            let file = file(folder)
            #expect(try file.peek() == nil)
            let new = try file.load()
            #expect(new.origin == .new && new.identity.node.rawValue != 0)
            #expect(new.identity.memory == NodeMemory() && new.identity.cluster == nil)
            #expect(try self.file(folder.appending("other")).load().identity.node != new.identity.node)
            var identity = new.identity
            (identity.cluster, identity.memory) = (ClusterID(rawValue: 5), memory)
            try file.save(identity)
            let again = try self.file(folder).load()
            #expect(again.identity == identity && again.origin == .known)
            #expect(try file.peek() == identity)
            #expect(
                try FileManager.default.contentsOfDirectory(atPath: file.path.removingLastComponent().string) == [
                    "cluster.json"
                ]
            )
        }
    }

    @Test("A folder that was copied to another machine, or beside, is a new node of the same cluster")
    func copies() async throws {
        try await withTemporaryFolder { folder in
            var identity = try file(folder).load().identity
            (identity.cluster, identity.memory) = (ClusterID(rawValue: 5), memory)
            try file(folder).save(identity)
            let copy = folder.appending("copy")
            try FileManager.default.createDirectory(atPath: copy.string, withIntermediateDirectories: true)
            try FileManager.default.copyItem(
                atPath: folder.appending(".db-litestream").string,
                toPath: copy.appending(".db-litestream").string
            )
            for (place, machine) in [(copy, "m1"), (folder, "m2")] {
                let found = try file(place, machine: machine).load()
                #expect(found.origin == .copied(from: identity.node))
                #expect(found.identity.node != identity.node)
                #expect(found.identity.memory == NodeMemory() && found.identity.cluster == identity.cluster)
                let again = try file(place, machine: machine).load()
                #expect(again.identity == found.identity && again.origin == .known)
            }
        }
    }

    @Test("A folder that was only renamed is the same node")
    func renamed() async throws {
        try await withTemporaryFolder { folder in
            let identity = try file(folder.appending("a")).load().identity
            try FileManager.default.moveItem(atPath: folder.appending("a").string, toPath: folder.appending("b").string)
            let found = try file(folder.appending("b")).load()
            #expect(found.identity == identity && found.origin == .known)
        }
    }

    @Test("Of many that begin at once, all become the same node")
    func race() async throws {
        try await withTemporaryFolder { folder in
            let ids = try await withThrowingTaskGroup(of: NodeID.self) { group in
                for _ in 0..<16 { group.addTask { try file(folder).load().identity.node } }
                return try await group.reduce(into: Set()) { $0.insert($1) }
            }
            #expect(ids.count == 1)
        }
    }

    @Test("A promise never gets shorter on its way through the file, and one of a boot without a name counts anew")
    func promises() throws {
        var identity = NodeIdentity.new(at: .init(machine: "m", folder: .init(path: "/p", inode: 1)))
        identity.memory.promise = Promise(
            session: SessionID(rawValue: 1),
            length: .microseconds(1_100_100),
            given: Moment(reading: .seconds(5)),
            boot: ""
        )
        let promise = try #require(try NodeIdentity(parsing: identity.encoded).memory.promise)
        #expect(promise.length == .milliseconds(1101) && promise.given == Moment(reading: .seconds(5)))
        let now = Moment(reading: .seconds(1000))
        #expect(promise.end(boot: "", now: now) == now + promise.length)
    }

    @Test("What a later version has added stays")
    func unknownKeys() async throws {
        try await withTemporaryFolder { folder in
            let file = file(folder)
            _ = try file.load()
            let text = try read(file.path).replacing(#"{"demoted""#, with: #"{"tried":9,"demoted""#)
            try text.write(toFile: file.path.string, atomically: false, encoding: .utf8)
            try file.save(try file.load().identity)
            #expect(try read(file.path).contains(#""tried":9"#))
        }
    }

    @Test("A damaged file is named, and stays as it is")
    func damaged() async throws {
        try await withTemporaryFolder { folder in
            let file = file(folder)
            var identity = try file.load().identity
            identity.memory = memory
            try file.save(identity)
            let good = try read(file.path)
            let bad: [(String, String)] = [
                ("", "is not JSON"), (String(good.dropLast()), "is not JSON"),
                (good.replacing(#""won":7"#, with: #""won":-7"#), "'won'"),
                (good.replacing(#""node":"#, with: #""note":"#), "'node'"),
                (good.replacing(#""folder":"#, with: #""holder":"#), "'folder'"),
                (good.replacing(#""demoted":true"#, with: #""demoted":1"#), "'demoted'"),
                (good.replacing("6600", with: "99999999999"), "a promise of"),
                (good.replacing(#""session":"000000000000000b""#, with: #""session":"b""#), "'session'"),
                (good + String(repeating: " ", count: 70_000), "more than"),
            ]
            for (text, words) in bad {
                #expect(text != good)
                try text.write(toFile: file.path.string, atomically: false, encoding: .utf8)
                let error = #expect(throws: NodeMemoryError.self) { try file.load() }
                #expect(error?.message.contains(words) == true, "\(error?.message ?? "")")
                #expect(
                    error?.message.contains(file.path.string) == true && error?.message.contains("remove it") == true
                )
                #expect(try read(file.path) == text)
            }
        }
    }

    @Test("A disk that refuses is named, and the old content stands")
    func refused() async throws {
        try await withTemporaryFolder { folder in
            let file = file(folder)
            let identity = try file.load().identity
            // A folder in the way of the file that is written beside.
            try FileManager.default.createDirectory(
                atPath: file.path.string + ".tmp",
                withIntermediateDirectories: false
            )
            let error = #expect(throws: NodeMemoryError.self) { try file.save(identity) }
            #expect(error?.message.contains("cluster.json") == true)
            #expect(try file.load().identity == identity)
        }
    }
}
