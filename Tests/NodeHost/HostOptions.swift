import Foundation
import Logging
import SystemPackage
import TestSupport

/// What the command line asks for.
struct HostOptions {
    var database: FilePath
    /// A folder, or an `s3://` address with its query; access keys come from the environment.
    var store = ""
    /// The other host's store, written the same way; empty where all nodes share one.
    var peer = ""
    /// The address of the witness; empty where the lease lies beside the chain.
    var witness = ""
    var name = "node"
    var journal: FilePath?
    var ttl: Duration = .seconds(6)
    var syncInterval: Duration = .milliseconds(100)
    /// How often a standby asks for the next file.
    var followInterval: Duration = .milliseconds(200)
    /// Where it answers other nodes; 0 for nowhere.
    var port = 0
    /// The address that others reach it at, such as a proxy's; by default its own.
    var url: String?
    var token: String?
    /// Whether the database is made where there is none.
    var creates = false
    /// Whether it begins a cluster where there is none.
    var begins = true
    var isFailsafe = true
    /// Whether it says by itself that its peer is down, once it has heard `peer-unwell`.
    var isUnsafe = false
    /// How many takeovers in an hour; none: no bound.
    var holdDown: Int?
    /// Commits a second; 0: as many as go.
    var rate = 100
    /// Each so many commits one waits for the store; 0: none does.
    var replicatedEvery = 10
    var replicateTimeout: Duration = .seconds(10)
    var writes = true
    var reads = true
    /// When level 1 and level 2 are made; none: never.
    var levels: [Duration] = []
    var snapshots: Duration?
    var retention: Duration?
    var tailPolicy: String?
    /// Where databases of tails are put.
    var output: FilePath?
    var logLevel = Logger.Level.info

    init(_ arguments: [String]) throws {
        guard let first = arguments.first else { throw TestSupportError("usage: node-host DB [KEY=VALUE ...]") }
        database = FilePath(first)
        for argument in arguments.dropFirst() {
            let words = argument.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
            guard words.count == 2 else { throw TestSupportError("'\(argument)' is not of the form KEY=VALUE") }
            try set(words[0], words[1])
        }
    }

    private mutating func set(_ key: String, _ value: String) throws {
        func number() throws -> Int {
            guard let number = Int(value) else { throw TestSupportError("\(key)=\(value) is no number") }
            return number
        }
        func milliseconds() throws -> Duration { .milliseconds(try number()) }
        switch key {
        case "store": store = value
        case "peer": peer = value
        case "witness": witness = value
        case "name": name = value
        case "journal": journal = FilePath(value)
        case "ttl-ms": ttl = try milliseconds()
        case "sync-ms": syncInterval = try milliseconds()
        case "follow-ms": followInterval = try milliseconds()
        case "port": port = try number()
        case "url": url = value
        case "token": token = value
        case "create": creates = value == "1"
        case "begins": begins = value == "1"
        case "failsafe": isFailsafe = value == "1"
        case "unsafe": isUnsafe = value == "1"
        case "hold-down": holdDown = value == "off" ? nil : try number()
        case "rate": rate = try number()
        case "replicated-every": replicatedEvery = try number()
        case "replicate-timeout-ms": replicateTimeout = try milliseconds()
        case "write": writes = value == "1"
        case "read": reads = value == "1"
        case "levels-ms":
            levels = try value.split(separator: ",").map { word in
                guard let number = Int(word) else { throw TestSupportError("\(key)=\(value) is no list of numbers") }
                return .milliseconds(number)
            }
        case "snapshots-ms": snapshots = try milliseconds()
        case "retention-ms": retention = try milliseconds()
        case "out": output = FilePath(value)
        case "tail-policy": tailPolicy = value
        case "log":
            guard let level = Logger.Level(rawValue: value) else { throw TestSupportError("no level '\(value)'") }
            logLevel = level
        default: throw TestSupportError("no option '\(key)'")
        }
    }
}
