import Cluster
import Foundation
import Logging
import SQLiteReplicate
import SystemPackage
import TestSupport

/// Calls `body` with the address of a witness that runs meanwhile, at a free port unless the settings name one.
func withWitness<Value: Sendable>(
    _ settings: WitnessSettings,
    logger: Logger = .silent,
    _ body: (String) async throws -> Value
) async throws -> Value {
    let server = WitnessServer(settings, logger: logger)
    return try await withThrowingTaskGroup(of: Void.self) { group in
        group.addTask { try await server.run() }
        let scheme = settings.certificate == nil ? "http" : "https"
        let value = try await body("\(scheme)://127.0.0.1:\(server.port)")
        group.cancelAll()
        try await group.waitForAll()
        return value
    }
}

/// As above, with a file of its own and defaults.
func withWitness<Value: Sendable>(_ body: (String) async throws -> Value) async throws -> Value {
    try await withTemporaryFolder("witness") { folder in try await withWitness(.at(folder), body) }
}

extension WitnessSettings {
    /// A file in a folder, at a free port.
    static func at(_ folder: FilePath, token: Secret? = nil) -> WitnessSettings {
        var settings = WitnessSettings(data: folder.appending("witness.db"))
        settings.listen.port = 0
        settings.token = token
        return settings
    }
}

extension ClusterID {
    /// The one whose cell tests use.
    static let watched = ClusterID(rawValue: 0xC1)
}

/// The address of its cell.
func cell(_ url: String, _ name: String = ClusterID.watched.description) -> String { "\(url)/v1/cells/\(name)" }

/// Writes a cell, and returns the answer.
func put(_ url: String, _ body: String, replacing tag: String? = nil) async throws -> TestAnswer {
    try await send("PUT", url, headers: [tag.map { ("If-Match", $0) } ?? ("If-None-Match", "*")], body: body)
}

/// Writes a cell that must be writable, and returns its new tag.
func written(_ url: String, _ body: String, replacing tag: String? = nil) async throws -> String {
    let answer = try await put(url, body, replacing: tag)
    guard answer.status == 200, let tag = answer.header("etag") else {
        throw TestSupportError("\(answer.status) \(answer.body)")
    }
    return tag
}

extension Lease {
    /// A lease of the watched cluster.
    static func watched(counter: UInt64, nonce: UInt64) -> Lease {
        Lease(
            cluster: .watched,
            epoch: Epoch(rawValue: 3),
            session: SessionID(rawValue: 11),
            node: NodeID(rawValue: 1),
            name: "one",
            state: .held,
            counter: counter,
            nonce: Nonce(high: counter, low: nonce),
            ttl: .seconds(6),
            head: ChainPoint(number: counter, checksum: nonce),
            begin: 0,
            eligible: [NodeID(rawValue: 1), NodeID(rawValue: 2)],
            url: ""
        )
    }
}
