import Foundation
import SystemPackage

/// A node of the demonstration, in its own process.
final class DemoProcess: Sendable {
    private let output: DemoOutput
    private let process: Process
    private let name: String

    /// Starts it.
    ///
    /// - Parameter port: Where it answers the other one, where each has a store of its own.
    init(_ program: String, _ name: String, _ folder: FilePath, begins: Bool, ttl: Duration, port: Int? = nil) throws {
        self.name = name
        output = try DemoOutput(of: name, in: folder)
        process = Process()
        process.executableURL = URL(filePath: program)
        let milliseconds = ttl.components.seconds * 1000
        process.arguments =
            ["demo-node", "--name", name, "--folder", folder.string, "--ttl-ms", "\(milliseconds)"]
            + (begins ? ["--begins"] : []) + (port.map { ["--port", "\($0)"] } ?? [])
        process.standardOutput = output.destination
        process.standardInput = FileHandle.nullDevice
        try process.run()
    }

    /// How many lines begin with a word.
    func count(_ word: String) -> Int { output.lines.count { $0.hasPrefix(word) } }

    /// Whether both nodes may take over, as it said last.
    var isTogether: Bool { output.lines.last { ["alone", "together"].contains($0) } == "together" }

    /// The numbers of the lines that begin with a word.
    func numbers(_ word: String) -> [Int] {
        output.lines.filter { $0.hasPrefix(word + " ") }.compactMap { Int($0.dropFirst(word.count + 1)) }
    }

    /// Waits for a line that begins with these words; `after`: for one more than so many.
    func waits(_ words: String, after count: Int = 0) async throws {
        try await Self.eventually("node \(name) says '\(words)'") {
            if self.count(words) > count { return true }
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
