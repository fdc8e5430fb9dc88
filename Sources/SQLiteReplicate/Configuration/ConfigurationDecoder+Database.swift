import SystemPackage
import Yams

extension ConfigurationDecoder {
    /// Reads one entry of `dbs`.
    func database(
        _ reader: MappingReader,
        defaults: ReplicaDefaults,
        shared: inout SharedTiming
    ) throws(ConfigurationError) -> DatabaseConfiguration {
        try reader.check(known: ConfigurationKeys.database)
        for key in ConfigurationKeys.directory {
            // `recursive: false` and the like ask for nothing.
            guard let node = reader.node(key), node.scalar?.boolValue != false else { continue }
            throw ConfigurationError(
                .notServed,
                "'\(key)' is not served yet: list each database with its 'path'",
                location: reader.keyLocation(key),
            )
        }
        guard let text = try reader.text("path") else {
            throw ConfigurationError(
                .missingKey,
                "\(reader.keyPath) has no 'path': name the database file",
                location: reader.keyLocation("path"),
            )
        }
        let path = try absolute(reader, "path") { paths throws(PathText.NoHome) in try paths.absoluteDatabase(text) }
        var result = DatabaseConfiguration(
            path: path,
            replica: try onlyReplica(reader, database: path, defaults, &shared)
        )
        if let text = try reader.text("meta-path") {
            result.metaPath = try absolute(reader, "meta-path") { paths throws(PathText.NoHome) in
                try paths.absolute(text)
            }
        }
        try readTimers(reader, into: &result)
        if let snapshot = try reader.mapping("snapshot") {
            try snapshot.check(known: ["interval", "retention"])
            if let value = try positive("interval", in: snapshot) {
                shared.snapshotInterval.append(.init(value: value, keyPath: snapshot.path("interval"), database: path))
            }
            if let value = try positive("retention", in: snapshot) {
                shared.snapshotRetention.append(
                    .init(value: value, keyPath: snapshot.path("retention"), database: path)
                )
            }
        }
        return result
    }

    private func readTimers(
        _ reader: MappingReader,
        into result: inout DatabaseConfiguration
    ) throws(ConfigurationError) {
        result.monitorInterval = try reader.duration("monitor-interval") ?? result.monitorInterval
        result.checkpointInterval = try reader.duration("checkpoint-interval") ?? result.checkpointInterval
        result.busyTimeout = try reader.duration("busy-timeout") ?? result.busyTimeout
        result.minCheckpointPageCount = try reader.count("min-checkpoint-page-count") ?? result.minCheckpointPageCount
        result.restoreIfDatabaseNotExists =
            try reader.bool("restore-if-db-not-exists") ?? result.restoreIfDatabaseNotExists
        let hint = " of bytes, such as 67108864"
        result.maxSyncWALBytes = try reader.integer("max-sync-wal-bytes", hint: hint) ?? result.maxSyncWALBytes
        let outdated = try reader.count("max-checkpoint-page-count")
        if let outdated {
            guard outdated >= 0 else { throw reader.invalid("max-checkpoint-page-count", "must not be negative") }
            warn(
                .outdated,
                "'max-checkpoint-page-count' is a key of Litestream 0.3: it is taken as 'truncate-page-n', write that "
                    + "instead",
                at: reader.keyLocation("max-checkpoint-page-count"),
            )
        }
        // Zero is the default, as in Litestream; with 0.3's key it was off.
        switch try reader.count("truncate-page-n") ?? outdated.map({ $0 == 0 ? -1 : $0 }) {
        case .none, .some(0): break
        case .some(let pages): result.truncatePageN = pages
        }
    }

    /// `replica`, or the only entry of `replicas`.
    private func onlyReplica(
        _ reader: MappingReader,
        database: FilePath,
        _ defaults: ReplicaDefaults,
        _ shared: inout SharedTiming
    ) throws(ConfigurationError) -> ReplicaConfiguration {
        let single = try reader.mapping("replica")
        let several = try reader.list("replicas") ?? []
        if single != nil, reader.node("replicas") != nil {
            throw ConfigurationError(
                .conflict,
                "\(reader.keyPath) has both 'replica' and 'replicas': keep 'replica'",
                location: reader.keyLocation("replicas"),
            )
        }
        if let single {
            note("\(reader.keyPath).replica", at: reader.keyLocation("replica"))
            return try replica(single, database: database, defaults, &shared)
        }
        guard let only = several.first else {
            throw ConfigurationError(
                .missingKey,
                "\(reader.keyPath) has no 'replica': say where the database is replicated to",
                location: location(of: reader),
            )
        }
        guard several.count == 1 else {
            throw ConfigurationError(
                .notServed,
                "\(reader.keyPath) has \(several.count) replicas; several are not served yet: keep one",
                location: location(several[1]),
            )
        }
        warn(
            .outdated,
            "'replicas' is a key of Litestream 0.3: write its entry under 'replica' instead",
            at: reader.keyLocation("replicas"),
        )
        // One key path for both spellings, so that checks find the place.
        let entry = try MappingReader(only, keyPath: "\(reader.keyPath).replica", decoder: self)
        return try replica(entry, database: database, defaults, &shared)
    }

    private func location(of reader: MappingReader) -> ConfigurationLocation? { place(of: reader.keyPath) }

    /// A duration that is not zero or less.
    private func positive(_ key: String, in reader: MappingReader) throws(ConfigurationError) -> Duration? {
        guard let value = try reader.duration(key) else { return nil }
        guard value > .zero else {
            throw reader.invalid(key, "must be greater than 0, not \(DurationText.format(value))")
        }
        return value
    }

    /// Makes a path absolute.
    func absolute(
        _ reader: MappingReader,
        _ key: String,
        _ resolve: (PathText) throws(PathText.NoHome) -> FilePath
    ) throws(ConfigurationError) -> FilePath {
        do {
            return try resolve(paths)
        } catch {
            throw reader.invalid(key, "begins with '~', and HOME is not set in the environment: write the whole path")
        }
    }
}
