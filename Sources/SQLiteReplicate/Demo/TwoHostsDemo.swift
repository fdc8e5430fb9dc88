import Cluster
import Foundation
import GRDB
import Logging
import NIOCore
import NIOPosix
import ObjectStorage
import Replication
import SystemPackage

/// Two hosts with a store each, and a witness: each fault once, and its way back (failover-review G).
struct TwoHostsDemo {
    let home: FilePath
    /// This very program.
    let program: String
    let logger: Logger

    private static let ttl = Duration.seconds(1)

    /// Runs it. The steps, and whether everything was as it should be.
    func run() async throws -> (steps: [DemoStep], isProven: Bool) {
        let folder = home.appending("two-hosts")
        try? FileManager.default.removeItem(atPath: folder.string)  // from an earlier demonstration
        try FileManager.default.createDirectory(atPath: folder.string, withIntermediateDirectories: true)
        var story = try await Story(folder: folder, program: program, ttl: Self.ttl)
        do { try await tell(&story) } catch {
            story.end()
            throw error
        }
        story.end()
        let isProven = try await prove(&story)
        return (story.steps, isProven)
    }

    private func tell(_ story: inout Story) async throws {
        try await story.begin()
        try await story.processKilled()
        try await story.hostGone()
        try await story.linkCut()
        try await story.witnessGone(andLink: false)
        try await story.witnessGone(andLink: true)
        try await story.storeRolledBack()
        try await story.switchBack()
        try await story.stop()
    }

    /// Both stores restore by themselves: the standby's the whole history, the primary's an earlier state of it.
    private func prove(_ story: inout Story) async throws -> Bool {
        let (primary, standby) = story.hosts
        let newest = try await rows(story.folder, standby)
        let older = try await rows(story.folder, primary)
        let missing = story.acknowledged.subtracting(newest).count
        let isOlder = older.isSubset(of: newest)
        story.note(
            "restore from each store",
            "\(story.acknowledged.count) answers 'replicated', \(missing) rows of them missing in store \(standby); store "
                + "\(primary) holds " + (isOlder ? "an earlier state" : "SOMETHING ELSE")
        )
        return missing == 0 && isOlder && story.isAsExpected
    }

    private func rows(_ folder: FilePath, _ host: String) async throws -> Set<Int> {
        let output = folder.appending("restored-\(host).db")
        let replica = Replica(store: FolderStore(root: folder.appending("store-\(host)")), layout: .folder)
        try await Restorer(replica).restore(.latest, to: output, options: RestoreOptions(replacesOutput: true))
        guard try SQLiteCheck.run("integrity_check", on: output).isEmpty else {
            throw DemoFailure(message: "What store \(host) restores is not sound.")
        }
        let queue = try DatabaseQueue(path: output.string)
        return try await queue.read { Set(try Int.fetchAll($0, sql: "SELECT id FROM users")) }
    }
}

/// The story's run: who is where, and what came of each step.
private struct Story {
    let folder: FilePath
    let faults: DemoFaults
    private let program: String
    private let ttl: Duration
    private let ports: [String: Int]
    private var nodes: [String: DemoProcess] = [:]
    private var primary = "a"
    private(set) var steps: [DemoStep] = []
    private(set) var isAsExpected = true
    private(set) var acknowledged: Set<Int> = []
    private var began = ContinuousClock.now

    init(folder: FilePath, program: String, ttl: Duration) async throws {
        (self.folder, self.program, self.ttl) = (folder, program, ttl)
        faults = DemoFaults(folder: folder)
        ports = ["a": try await Self.freePort(), "b": try await Self.freePort()]
    }

    var hosts: (primary: String, standby: String) { (primary, standby) }
    private var standby: String { primary == "a" ? "b" : "a" }

    mutating func note(_ name: String, _ detail: String) {
        steps.append(DemoStep(name: name, detail: detail, took: began.duration(to: .now)))
        began = .now
    }

    private mutating func expect(_ condition: Bool, _ words: String, otherwise: String) -> String {
        isAsExpected = isAsExpected && condition
        return condition ? words : otherwise
    }

    // MARK: - Nodes

    private func node(_ name: String) throws -> DemoProcess {
        guard let node = nodes[name] else { throw DemoFailure(message: "Node \(name) does not run.") }
        return node
    }

    private mutating func start(_ name: String) throws {
        if let old = nodes[name] { acknowledged.formUnion(old.numbers("replicated")) }
        nodes[name] = try DemoProcess(
            program,
            name,
            folder,
            begins: name == "a",
            ttl: ttl,
            port: ports[name]
        )
    }

    /// Kills what is left, and notes what was answered.
    mutating func end() {
        for node in nodes.values {
            node.kill()
            acknowledged.formUnion(node.numbers("replicated"))
        }
        nodes = [:]
    }

    /// Waits until the other one has taken over and written.
    private mutating func takeOver(_ body: (DemoProcess) async throws -> Void) async throws {
        let (old, new) = (try node(primary), try node(standby))
        let (opened, wrote) = (new.count("role primary"), new.count("wrote"))
        began = .now
        try await body(old)
        try await new.waits("role primary", after: opened)
        try await new.waits("wrote", after: wrote)
        primary = standby
    }

    /// Waits until the primary has written, and the store has answered.
    private func work() async throws {
        let node = try node(primary)
        try await node.waits("wrote", after: node.count("wrote") + 20)
        try await node.waits("replicated", after: node.count("replicated"))
    }

    /// Waits until the primary has written some rows, and takes count of what it was answered meanwhile.
    private func workAlone() async throws -> Int {
        let node = try node(primary)
        let before = node.count("replicated")
        try await node.waits("wrote", after: node.count("wrote") + 30)
        return node.count("replicated") - before
    }

    // MARK: - Steps

    mutating func begin() async throws {
        try start("a")
        try await node("a").waits("replicated")
        note("start host a", "primary; ships to the store on host b, which got a whole copy first")
        try start("b")
        try await node("b").waits("role standby")
        try await node("a").waits("together")
        note("start host b", "standby; follows from its own store, and may take over")
    }

    mutating func processKilled() async throws {
        try await work()
        let together = try node(standby).count("together")
        try await takeOver { $0.kill() }
        note("kill -9 node \(standby)", "\(primary) takes over from its own store, and accepts the next row")
        try start(standby)
        try await node(primary).waits("together", after: together)
        try await work()
        note("start it again", "store \(standby) got a whole copy; \(standby) follows, and may take over")
    }

    mutating func hostGone() async throws {
        try await work()
        let together = try node(standby).count("together")
        let (faults, host) = (faults, primary)
        try await takeOver { node in
            try faults.take(.host(host))
            node.kill()
        }
        note("host \(standby) goes with its store", "\(primary) takes over, alone")
        let answered = try await workAlone()
        let words = expect(
            answered == 0,
            "nothing counts as replicated",
            otherwise: "\(answered) rows WERE ANSWERED as replicated"
        )
        note("write meanwhile", words)
        try faults.giveBack(.host(standby))
        try start(standby)
        try await node(primary).waits("together", after: together)
        try await work()
        note("it comes back", "store \(standby) got a whole copy; all of it counts again")
    }

    mutating func linkCut() async throws {
        try await work()
        let node = try node(primary)
        let (alone, together) = (node.count("alone"), node.count("together"))
        began = .now
        try faults.take(.link)
        try await node.waits("alone", after: alone)
        note("cut the link", "\(primary) strikes \(standby) off the list")
        let (closed, answered) = (node.count("closed"), try await workAlone())
        let words = expect(
            answered == 0 && node.count("closed") == closed,
            "rows are kept here; nothing counts as replicated",
            otherwise: "IT DID NOT HOLD"
        )
        note("write meanwhile", words)
        try faults.giveBack(.link)
        try await node.waits("together", after: together)
        try await work()
        note("connect it again", "what was kept is shipped; \(standby) may take over again")
    }

    mutating func witnessGone(andLink: Bool) async throws {
        try await work()
        let (node, other) = (try node(primary), try node(standby))
        let (closed, opened, taken) = (node.count("closed"), node.count("open"), other.count("role primary"))
        began = .now
        try faults.take(.witness)
        if andLink {
            try faults.take(.link)
            try await node.waits("closed", after: closed)
        }
        try await Task.sleep(for: ttl * 3)
        let isRight = node.count("closed") == closed + (andLink ? 1 : 0) && other.count("role primary") == taken
        let kept = andLink ? "writes wait: nobody can tell who is there" : "writes go on, by \(standby)'s promise"
        let words = expect(isRight, kept, otherwise: "IT DID NOT HOLD")
        note(andLink ? "witness and link go" : "the witness goes", "\(words); nobody takes over")
        try faults.giveBack(.witness)
        if andLink {
            try faults.giveBack(.link)
            try await node.waits("open", after: opened)
        }
        try await work()
        note("back again", "\(primary) goes on as the primary")
    }

    mutating func storeRolledBack() async throws {
        try await work()
        let store = folder.appending("store-\(standby)").string
        let kept = folder.appending("kept").string
        try FileManager.default.copyItem(atPath: store, toPath: kept)
        try await work()
        let node = try node(primary)
        let before = copies(in: kept)
        began = .now
        try FileManager.default.moveItem(atPath: store, toPath: kept + ".newer")
        try FileManager.default.moveItem(atPath: kept, toPath: store)
        // How long b is off the list is a matter of milliseconds here; what is written for it stays.
        try await DemoProcess.eventually("store \(standby) gets a whole copy") {
            !copies(in: store).subtracting(before).isEmpty
        }
        note("store \(standby) goes back", "to an older copy; \(primary) notices, and writes a whole copy there")
        try await DemoProcess.eventually("\(standby) may take over again") { node.isTogether }
        try await work()
        note("it has everything again", "\(standby) crosses the gap, and may take over")
    }

    /// The whole copies in a store.
    private func copies(in store: String) -> Set<String> {
        let names = try? FileManager.default.contentsOfDirectory(atPath: store + "/ltx/9")  // none is there yet
        return Set(names?.filter { $0.hasSuffix(".ltx") } ?? [])
    }

    mutating func switchBack() async throws {
        try await work()
        let together = try node(standby).count("together")
        try await takeOver { try await $0.stop() }
        note("end node \(standby) in order", "it ships everything and hands over; \(primary) writes")
        try start(standby)
        try await node(primary).waits("together", after: together)
        try await work()
    }

    mutating func stop() async throws {
        try await node(primary).stop()
        try await node(standby).stop()
        began = .now
    }

    /// A port that nobody listens at.
    private static func freePort() async throws -> Int {
        let channel = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .bind(host: "127.0.0.1", port: 0).get()
        defer { channel.close(promise: nil) }
        guard let port = channel.localAddress?.port else { throw DemoFailure(message: "The system gave no port.") }
        return port
    }
}
