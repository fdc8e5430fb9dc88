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

/// A node of the demonstration, in its own process.
final class DemoProcess: Sendable {
    private let output: DemoOutput
    private let process: Process
    private let name: String

    init(_ program: String, _ name: String, _ folder: FilePath, begins: Bool, ttl: Duration) throws {
        self.name = name
        output = try DemoOutput(of: name, in: folder)
        process = Process()
        process.executableURL = URL(filePath: program)
        let milliseconds = ttl.components.seconds * 1000
        process.arguments =
            ["demo-node", "--name", name, "--folder", folder.string, "--ttl-ms", "\(milliseconds)"]
            + (begins ? ["--begins"] : [])
        process.standardOutput = output.destination
        process.standardInput = FileHandle.nullDevice
        try process.run()
    }

    /// How many lines begin with a word.
    func count(_ word: String) -> Int { output.lines.count { $0.hasPrefix(word) } }

    /// The numbers of the lines that begin with a word.
    func numbers(_ word: String) -> [Int] {
        output.lines.filter { $0.hasPrefix(word + " ") }.compactMap { Int($0.dropFirst(word.count + 1)) }
    }

    /// Waits for a line that begins with these words.
    func waits(_ words: String) async throws {
        try await Self.eventually("node \(name) says '\(words)'") {
            if count(words) > 0 { return true }
            guard process.isRunning else { throw DemoFailure(message: "Node \(name) has ended by itself.") }
            return false
        }
    }

    /// Ends it at once.
    func kill() {
        guard process.isRunning else { return }
        _ = Foundation.kill(process.processIdentifier, SIGKILL)
        process.waitUntilExit()
    }

    /// Ends it gracefully.
    func stop() async throws {
        process.terminate()
        try await Self.eventually("node \(name) ends") { !process.isRunning }
    }

    static func eventually(_ what: String, _ condition: () async throws -> Bool) async throws {
        let deadline = ContinuousClock.now + .seconds(60)
        while try await !condition() {
            guard ContinuousClock.now < deadline else { throw DemoFailure(message: "Not within a minute: \(what).") }
            try await Task.sleep(for: .milliseconds(5))
        }
    }
}

/// Why the demonstration could not go on.
struct DemoFailure: Error, CustomStringConvertible {
    let message: String
    var description: String { message }
}

/// What a node of the demonstration has said, in a file of its folder.
///
/// Not a pipe with a `readabilityHandler`: where its writer ends while the handler goes away, libdispatch can still
/// deliver the hang-up to what it has freed.
private final class DemoOutput: Sendable {
    private let path: FilePath

    /// Where the process writes.
    let destination: FileHandle

    /// Makes the file, beside those of the node's earlier processes.
    init(of name: String, in folder: FilePath) throws {
        var number = 1
        while FileManager.default.fileExists(atPath: folder.appending("\(name).\(number).out").string) { number += 1 }
        path = folder.appending("\(name).\(number).out")
        let descriptor = try FileDescriptor.open(
            path,
            .writeOnly,
            options: [.create, .append, .closeOnExec],
            permissions: [.ownerReadWrite, .groupRead, .otherRead]
        )
        destination = FileHandle(fileDescriptor: descriptor.rawValue, closeOnDealloc: true)
    }

    /// The whole lines so far.
    var lines: [Substring] {
        guard let text = try? String(contentsOfFile: path.string, encoding: .utf8) else { return [] }
        return text.split(separator: "\n", omittingEmptySubsequences: false).dropLast()
    }
}
