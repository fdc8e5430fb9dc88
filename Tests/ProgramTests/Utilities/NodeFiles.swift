import Foundation
import SQLiteReplicate
import SystemPackage
import TestSupport

/// A node as a user sets it up: a folder, a configuration file, a database.
struct NodeFiles {
    let folder: FilePath
    let name: String
    let port: Int
    let configuration: FilePath
    var database: FilePath { folder.appending("\(name).db") }
    var url: String { "http://127.0.0.1:\(port)" }

    /// Writes the configuration.
    ///
    /// - Parameters:
    ///   - name: The node's name, and its database's.
    ///   - folder: Where its files are.
    ///   - replica: The URL of the replica.
    ///   - cluster: More keys of `cluster`, a line each.
    ///   - top: More keys of the top level.
    init(
        _ name: String,
        in folder: FilePath,
        replica: String,
        cluster: [String] = [],
        top: [String] = []
    ) async throws {
        (self.folder, self.name, port) = (folder, name, try await freePort())
        configuration = folder.appending("\(name).yml")
        let keys = ["name: \(name)", "listen: 127.0.0.1:\(port)", "ttl: 1s", "follow-interval: 50ms"] + cluster
        let text = """
            dbs:
              - path: \(folder.appending("\(name).db"))
                replica: {url: "\(replica)", sync-interval: 100ms}
            cluster:
            \(keys.map { "  \($0)\n" }.joined())
            \(top.joined(separator: "\n"))
            """
        try text.write(toFile: configuration.string, atomically: true, encoding: .utf8)
    }

    /// Runs a command with the configuration, to its end.
    func run(
        _ command: [String],
        environment: [String: String?] = [:],
        within limit: Duration = .seconds(60)
    ) async throws -> ChildProcess.Result {
        try await Ours.run(command + ["-config", configuration.string], environment: environment, within: limit)
    }

    /// Starts `service` or `standby`.
    func start(
        _ command: String,
        _ flags: [String] = [],
        environment: [String: String?] = [:]
    ) throws -> ChildProcess {
        try ChildProcess(
            Ours.executable,
            [command, "-config", configuration.string, "-log-level", "debug"] + flags,
            environment: Ours.environment.merging(environment) { $1 }
        )
    }

    /// Waits until a request is answered with 200.
    func waitFor(_ path: String, of process: ChildProcess, within limit: Duration = .seconds(60)) async throws {
        try await eventually("\(name) answers \(path) with 200\(process.outputForMessages)", within: limit) {
            if let exit = process.exit {
                throw TestSupportError("\(process.command): \(exit)\(process.outputForMessages)")
            }
            return await NodeClient().health(of: url + path).isWell
        }
    }
}
