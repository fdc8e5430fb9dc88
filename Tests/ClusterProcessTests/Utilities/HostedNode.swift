import Foundation
import SystemPackage
import TestDatabases
import TestSupport

#if canImport(Darwin)
    import Darwin
#elseif canImport(Glibc)
    import Glibc
#endif

/// A node in a process of its own, which is killed and started again; its database and its journal stay.
///
/// Use it from one task at a time.
final class HostedNode {
    let name: String
    let database: FilePath
    let journal: FilePath
    /// What lies between it and the store.
    let store: FaultProxy
    /// What lies between the other nodes and it.
    let entrance: FaultProxy
    /// What lies between it and the other host's store, where each has one.
    let peerStore: FaultProxy?
    /// What lies between it and the witness.
    let witness: FaultProxy?
    private let options: [String]
    private let environment: [String: String?]
    private(set) var process: ChildProcess?
    /// What processes said that have ended.
    private var past: [String] = []

    /// Prepares a node behind proxies.
    ///
    /// - Parameters:
    ///   - server: The store's server.
    ///   - prefix: Where the cluster lies in its bucket.
    ///   - peer: The other host's store, where each has one.
    ///   - witness: The address of the witness.
    ///   - options: Further options of `node-host`.
    init(
        _ name: String,
        in folder: FilePath,
        server: S3TestServer,
        prefix: String,
        peer: S3TestServer? = nil,
        witness: String? = nil,
        options: [String]
    ) async throws {
        self.name = name
        (database, journal) = (folder.appending("\(name).db"), folder.appending("\(name).journal"))
        store = try await FaultProxy.start(before: server.endpoint)
        let port = try await freePort()
        entrance = try await FaultProxy.start(before: "http://127.0.0.1:\(port)")
        var places = ["store=\(server.url(prefix).replacing(server.endpoint, with: store.endpoint))"]
        if let peer {
            let proxy = try await FaultProxy.start(before: peer.endpoint)
            places.append("peer=\(peer.url(prefix).replacing(peer.endpoint, with: proxy.endpoint))")
            peerStore = proxy
        } else {
            peerStore = nil
        }
        if let witness {
            let proxy = try await FaultProxy.start(before: witness)
            places.append("witness=\(proxy.endpoint)")
            self.witness = proxy
        } else {
            self.witness = nil
        }
        self.options =
            [
                database.string, "name=\(name)", "journal=\(journal)", "port=\(port)", "url=\(entrance.endpoint)",
                "hold-down=off",
            ] + places + options
        environment = server.environment
    }

    /// Starts it.
    func start(_ more: [String] = []) throws {
        end(keeping: process)
        process = try ChildProcess(
            BuiltProduct.path(of: "node-host"),
            options + more,
            environment: environment,
            hasInput: true
        )
    }

    private func end(keeping process: ChildProcess?) {
        guard let process else { return }
        past += process.standardOutput.split(separator: "\n").map(String.init)
        keepLog(of: process)
    }

    /// Appends what it logged to a file beside its database, for people.
    private func keepLog(of process: ChildProcess) {
        let path = database.string + ".log"
        let text = (try? String(contentsOfFile: path, encoding: .utf8)) ?? ""
        // It is there to look at when a test has failed; a test does not fail of it.
        try? (text + process.standardError).write(toFile: path, atomically: true, encoding: .utf8)
    }

    /// All lines so far, those of earlier processes included; one that has not come to its end is none yet.
    var lines: [HostLine] {
        let output = process?.standardOutput ?? ""
        let whole = output.lastIndex(of: "\n").map { output[..<$0] } ?? ""
        return (past + whole.split(separator: "\n").map(String.init)).map { HostLine($0) }
    }

    /// How many lines there are: from here on a wait looks.
    var mark: Int { lines.count }

    /// Waits for a line.
    @discardableResult
    func wait(
        for what: String,
        after mark: Int,
        within limit: Duration = .seconds(60),
        _ condition: (HostLine) -> Bool
    ) async throws -> HostLine {
        let deadline = ContinuousClock.now + limit
        while true {
            let hasEnded = process?.exit != nil
            if let line = lines.dropFirst(mark).first(where: condition) { return line }
            guard !hasEnded, ContinuousClock.now < deadline else {
                let said = lines.suffix(25).map(\.text).joined(separator: "\n")
                throw TestSupportError(
                    "\(name) \(hasEnded ? "ended" : "did not say within \(limit)"): \(what).\n\(said)\n"
                        + "\(process?.standardError.suffix(3000) ?? "")"
                )
            }
            try await Task.sleep(for: .milliseconds(5))
        }
    }

    /// Gives a command, and waits for its answer.
    func command(_ text: String, within limit: Duration = .seconds(60)) async throws -> HostLine {
        let (mark, word) = (mark, String(text.prefix { $0 != " " }))
        process?.write(text + "\n")
        return try await wait(for: "an answer to '\(text)'", after: mark, within: limit) { $0.kind == word }
    }

    func status() async throws -> HostLine { try await command("status") }

    /// Waits until its status is as wanted.
    func waitForStatus(
        _ what: String,
        within limit: Duration = .seconds(60),
        _ condition: (HostLine) -> Bool
    ) async throws {
        var last = ""
        try await eventually(
            "\(name): \(what); it says: \(last)\n\(process?.standardError.suffix(3000) ?? "")",
            within: limit
        ) {
            let status = try await status()
            last = status.text
            return condition(status)
        }
    }

    /// Sends a signal to its process.
    func signal(_ signal: Int32) { process?.signal(signal) }

    /// Kills its process, and waits until it is gone.
    func kill() async throws { try await process?.kill() }

    /// Ends its process as a service manager does.
    func terminate() async throws -> ProcessExit? { try await process?.terminate(within: .seconds(60)) }

    /// Ends all that belongs to it.
    func close() async throws {
        if let process, process.exit == nil {
            process.signal(SIGCONT)
            try await process.kill()
        }
        if let process { keepLog(of: process) }
        try await store.stop()
        try await entrance.stop()
        try await peerStore?.stop()
        try await witness?.stop()
    }

    /// What readers of its database saw that must not be.
    var readerFaults: [HostLine] { lines.filter { $0.kind == "reader-fault" } }
}
