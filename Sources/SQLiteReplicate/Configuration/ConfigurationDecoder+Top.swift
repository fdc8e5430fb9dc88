import SystemPackage
import Yams

/// A duration that a database or replica asks for and that counts for all.
struct SharedDuration {
    var value: Duration
    /// The key path it stands under.
    var keyPath: String
    /// The database, for messages.
    var database: FilePath
}

/// What databases ask for and only the whole process can have.
struct SharedTiming {
    var snapshotInterval: [SharedDuration] = []
    var snapshotRetention: [SharedDuration] = []
    var retentionCheckInterval: [Duration] = []
}

extension ConfigurationDecoder {
    /// Reads the whole configuration.
    func configuration(_ root: Node?) throws(ConfigurationError) -> ReplicationConfiguration {
        var result = ReplicationConfiguration()
        guard let root, root.scalar?.isNull != true else {
            warnEmpty(at: nil)
            return result
        }
        let top = try MappingReader(root, keyPath: "", decoder: self)
        try top.check(known: ConfigurationKeys.top + ConfigurationKeys.replicaDefaults)
        result.cluster = try cluster(top)
        result.service = try service(top.mapping("service"))
        try readServices(top, into: &result)
        try readTimers(top, into: &result)
        result.logging = try logging(top.mapping("logging"))
        let defaults = try replicaDefaults(top)
        var shared = SharedTiming()
        if let interval = defaults.retentionCheckInterval { shared.retentionCheckInterval.append(interval) }
        let entries = try top.list("dbs") ?? []
        for (index, entry) in entries.enumerated() {
            let reader = try MappingReader(entry, keyPath: "dbs[\(index)]", decoder: self)
            result.databases.append(try database(reader, defaults: defaults, shared: &shared))
        }
        try promote(shared, into: &result, top: top)
        try readTwoStores(top, defaults, into: &result)
        if result.databases.isEmpty { warnEmpty(at: top.keyLocation("dbs")) }
        return result
    }

    private func warnEmpty(at location: ConfigurationLocation?) {
        let location = location ?? self.location(line: 1, column: 1)
        warn(.emptyConfiguration, "no database is named: list them under 'dbs'", at: location)
    }

    /// Keys for services that this program does not have.
    private func readServices(
        _ top: MappingReader,
        into result: inout ReplicationConfiguration
    ) throws(ConfigurationError) {
        result.exec = try top.text("exec")
        for (key, what) in [("addr", "metrics over HTTP"), ("mcp-addr", "an MCP server")] where try top.text(key) != nil
        {
            warn(.ignored, "'\(key)' has no effect: \(what) is not offered", at: top.keyLocation(key))
        }
        if let socket = try top.mapping("socket") {
            try socket.check(known: ["enabled", "path", "permissions"])
            _ = try socket.text("path")
            if let permissions = try socket.integer("permissions", hint: " such as 0600"),
                !(0...0o7777).contains(permissions)
            {
                throw socket.invalid("permissions", "must lie between 0 and 07777")
            }
            if try socket.bool("enabled") ?? false {
                warn(.ignored, "'socket' has no effect: a control socket is not offered", at: top.keyLocation("socket"))
            }
        }
    }

    private func readTimers(
        _ top: MappingReader,
        into result: inout ReplicationConfiguration
    ) throws(ConfigurationError) {
        if let levels = try top.list("levels") {
            result.levels = []
            for (index, entry) in levels.enumerated() {
                let level = try MappingReader(entry, keyPath: "levels[\(index)]", decoder: self)
                try level.check(known: ["interval"])
                guard let interval = try level.duration("interval") else {
                    let message = "levels[\(index)] has no 'interval': write one, such as 'interval: 5m'"
                    throw ConfigurationError(.missingKey, message, location: location(entry))
                }
                result.levels.append(interval)
            }
        }
        if let snapshot = try top.mapping("snapshot") {
            try snapshot.check(known: ["interval", "retention"])
            result.snapshot.interval = try snapshot.duration("interval") ?? result.snapshot.interval
            result.snapshot.retention = try snapshot.duration("retention") ?? result.snapshot.retention
        }
        if let retention = top.node("retention"), retention.scalar == nil, let reader = try top.mapping("retention") {
            try reader.check(known: ["enabled"])
            result.retentionEnabled = try reader.bool("enabled") ?? true
        }
        if let validation = try top.mapping("validation") {
            try validation.check(known: ["interval"])
            result.validationInterval = try validation.duration("interval").flatMap { $0 == .zero ? nil : $0 }
        }
        result.l0Retention = try top.duration("l0-retention") ?? result.l0Retention
        result.l0RetentionCheckInterval =
            try top.duration("l0-retention-check-interval") ?? result.l0RetentionCheckInterval
        result.verifyCompaction = try top.bool("verify-compaction") ?? result.verifyCompaction
        result.heartbeatURL = try top.text("heartbeat-url")
        result.heartbeatInterval = try top.duration("heartbeat-interval") ?? result.heartbeatInterval
        result.shutdownSyncTimeout = try top.duration("shutdown-sync-timeout") ?? result.shutdownSyncTimeout
        result.shutdownSyncInterval = try top.duration("shutdown-sync-interval") ?? result.shutdownSyncInterval
    }

    private func logging(_ reader: MappingReader?) throws(ConfigurationError) -> LoggingConfiguration {
        var result = LoggingConfiguration()
        guard let reader else { return result }
        try reader.check(known: ["level", "type", "stderr", "source"])
        if let text = try reader.text("level") {
            guard let level = LoggingConfiguration.Level(named: text) else {
                let names = LoggingConfiguration.Level.allCases.map(\.rawValue).joined(separator: ", ")
                throw reader.invalid("level", "must be one of \(names), not '\(text)'")
            }
            result.level = level
        }
        if let text = try reader.text("type") {
            guard let type = LoggingConfiguration.Format(rawValue: text.lowercased()) else {
                let names = LoggingConfiguration.Format.allCases.map(\.rawValue).joined(separator: ", ")
                throw reader.invalid("type", "must be one of \(names), not '\(text)'")
            }
            result.type = type
        }
        result.stderr = try reader.bool("stderr") ?? result.stderr
        result.source = try reader.bool("source") ?? result.source
        return result
    }
}

extension LoggingConfiguration.Level {
    /// The level of a name in any case; `warning` is `warn`.
    public init?(named name: String) {
        let name = name.lowercased()
        self.init(rawValue: name == "warning" ? "warn" : name)
    }
}
