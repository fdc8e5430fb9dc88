import Cluster
import Foundation
import GRDB
import Logging
import ObjectStorage
import Replication
import SystemPackage

/// Two nodes on a folder: the primary is killed under writes, the standby takes over, the old one returns and keeps its
/// tail.
struct ClusterDemo {
    let home: FilePath
    /// This very program.
    let program: String
    let logger: Logger

    private static let ttl = Duration.seconds(1)

    /// Runs it. The steps, and whether everything was as it should be.
    func run() async throws -> (steps: [DemoStep], isProven: Bool) {
        let folder = home.appending("cluster")
        try? FileManager.default.removeItem(atPath: folder.string)  // from an earlier demonstration
        try FileManager.default.createDirectory(atPath: folder.string, withIntermediateDirectories: true)
        var steps: [DemoStep] = []
        func step<Value>(_ name: String, _ body: () async throws -> (Value, String)) async throws -> Value {
            let began = ContinuousClock.now
            let (value, detail) = try await body()
            steps.append(DemoStep(name: name, detail: detail, took: began.duration(to: .now)))
            return value
        }
        var processes: [DemoProcess] = []
        defer { for process in processes { process.kill() } }
        func start(_ name: String) throws -> DemoProcess {
            let process = try DemoProcess(program, name, folder, begins: name == "a", ttl: Self.ttl)
            processes.append(process)
            return process
        }
        let a = try await step("start node a") {
            let a = try start("a")
            try await a.waits("role primary")
            try await a.waits("replicated")
            return (a, "primary, writes and replicates")
        }
        let b = try await step("start node b") {
            let b = try start("b")
            try await b.waits("role standby")
            try await waitForMember(folder)
            return (b, "standby, follows")
        }
        let written = try await step("kill -9 node a") {
            try await DemoProcess.eventually("node a has written") { a.count("wrote") >= 200 }
            let before = a.count("wrote")
            a.kill()
            try await b.waits("role primary")
            try await b.waits("wrote")
            return (before, "under writes, \(before) rows so far; b accepts the next one")
        }
        let returned = try await step("start node a again") {
            let again = try start("a")
            // Once it holds something of b's epoch, it has left its own behind.
            try await again.waits("epoch 2")
            return (again, "standby, follows b")
        }
        let tails = TailStore(
            FolderStore(root: folder.appending("store")),
            layout: ClusterLayout(path: ""),
            local: LocalTails(metadata: folder.appending(".a.db-litestream"))
        )
        let kept = try await step("look for its tail") {
            let list = try await tails.list()
            let names = list.map { "\($0.reference.id)" }.joined(separator: ", ")
            return (list.count, list.isEmpty ? "none: everything had been shipped" : "kept aside: \(names)")
        }
        let acknowledged = a.numbers("replicated") + b.numbers("replicated")
        try await step("switch back and forth") {
            try await b.stop()
            try await returned.waits("role primary")
            try await returned.waits("replicated")
            return ((), "b ended; a writes again")
        }
        try await returned.stop()
        let isProven = try await step("restore and compare") {
            let output = home.appending("cluster-restored.db")
            let replica = Replica(store: FolderStore(root: folder.appending("store")), layout: .folder)
            try await Restorer(replica).restore(.latest, to: output, options: RestoreOptions(replacesOutput: true))
            let queue = try DatabaseQueue(path: output.string)
            let rows = try await queue.read { Set(try Int.fetchAll($0, sql: "SELECT id FROM users")) }
            let missing = acknowledged.filter { !rows.contains($0) }.count
            let isSound = try SQLiteCheck.run("integrity_check", on: output).isEmpty
            let words = isSound ? "integrity ok" : "NOT SOUND"
            return (
                missing == 0 && isSound,
                "\(acknowledged.count) answers 'replicated', \(missing) rows of them missing, \(words)"
            )
        }
        _ = (written, kept)
        return (steps, isProven)
    }

    /// Waits until the lease lists both nodes.
    private func waitForMember(_ folder: FilePath) async throws {
        let leases = LeaseStore(FolderStore(root: folder.appending("store")), layout: ClusterLayout(path: ""))
        try await DemoProcess.eventually("node b is on the list") {
            guard case .body(let lease, _) = await leases.read().reading else { return false }
            return lease.eligible.count == 2
        }
    }
}
