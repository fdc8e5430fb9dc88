import SystemPackage
import Yams

/// What the top level says for all replicas that do not say it themselves.
struct ReplicaDefaults {
    /// A replica with the defaults in place; its type and path mean nothing.
    var replica = ReplicaConfiguration(type: .file, path: "")
    /// S3 settings that are set at the top level: they go before the query of a URL.
    var s3Overrides: [(inout S3Settings) -> Void] = []
    var retentionCheckInterval: Duration?
}

extension ConfigurationDecoder {
    /// Reads the top level's defaults for replicas.
    func replicaDefaults(_ top: MappingReader) throws(ConfigurationError) -> ReplicaDefaults {
        var result = ReplicaDefaults()
        try refuseAge(top)
        warnForeign(top)
        try readTiming(top, into: &result.replica)
        result.s3Overrides = try s3Settings(top)
        result.retentionCheckInterval = try retentionCheckInterval(top)
        return result
    }

    /// Reads one replica.
    func replica(
        _ reader: MappingReader,
        database: FilePath,
        _ defaults: ReplicaDefaults,
        _ shared: inout SharedTiming
    ) throws(ConfigurationError) -> ReplicaConfiguration {
        try reader.check(known: ConfigurationKeys.replica + ConfigurationKeys.replicaDefaults)
        try refuseAge(reader)
        var result = defaults.replica
        try readPlace(reader, defaults, into: &result)
        warnForeign(reader)
        try readTiming(reader, into: &result)
        try readOutdated(reader, into: &result, database: database, &shared)
        return result
    }

    // MARK: Where

    /// Reads where a replica lies, and how its server is asked.
    func readPlace(
        _ reader: MappingReader,
        _ defaults: ReplicaDefaults,
        into result: inout ReplicaConfiguration
    ) throws(ConfigurationError) {
        let own = try s3Settings(reader)
        if let text = try reader.text("url") {
            for key in ["path", "bucket"] where reader.node(key) != nil {
                throw ConfigurationError(
                    .conflict,
                    "\(reader.keyPath) has both 'url' and '\(key)': the URL names it already",
                    location: reader.keyLocation(key),
                )
            }
            try readURL(text, at: reader.path("url"), into: &result)
        } else {
            result.type = try type(reader)
            result.path = try path(reader, type: result.type)
        }
        try finishPlace(&result, defaults, own: own, at: reader.keyPath)
        guard result.type != .s3 else { return }
        for key in ConfigurationKeys.s3 where reader.node(key) != nil {
            warn(.ignored, "'\(key)' has no effect on a replica of type file", at: reader.keyLocation(key))
        }
    }

    /// Takes the URL of a replica.
    func readURL(
        _ text: String,
        at keyPath: String,
        into result: inout ReplicaConfiguration
    ) throws(ConfigurationError) {
        do {
            let url = try ReplicaURL(text)
            for remark in url.remarks { warn(.adjusted, remark, at: place(of: keyPath)) }
            (result.type, result.path, result.s3) = (url.type, url.path, url.s3)
        } catch {
            throw ConfigurationError(error.code, "\(keyPath) \(error.words)", location: place(of: keyPath))
        }
    }

    /// Adds the settings of S3 that hold for all replicas, and those of this one.
    func finishPlace(
        _ result: inout ReplicaConfiguration,
        _ defaults: ReplicaDefaults,
        own: [(inout S3Settings) -> Void],
        at keyPath: String
    ) throws(ConfigurationError) {
        guard result.type == .s3 else { return }
        let bucket = result.s3.bucket
        for set in defaults.s3Overrides { set(&result.s3) }
        if !bucket.isEmpty { result.s3.bucket = bucket }
        for set in own { set(&result.s3) }
        guard !result.s3.bucket.isEmpty else {
            let message = "\(keyPath) is of type s3 and has no 'bucket' or 'url'"
            throw ConfigurationError(.missingKey, message, location: place(of: keyPath))
        }
        raisePartSize(&result.s3, keyPath)
    }

    private func type(_ reader: MappingReader) throws(ConfigurationError) -> ReplicaConfiguration.Kind {
        guard let text = try reader.text("type") else { return .file }
        do {
            return try ReplicaURL.type(named: text)
        } catch {
            throw ConfigurationError(
                error.code,
                "\(reader.path("type")) \(error.words)",
                location: place(of: reader.path("type")),
            )
        }
    }

    private func path(
        _ reader: MappingReader,
        type: ReplicaConfiguration.Kind
    ) throws(ConfigurationError) -> String {
        let text = try reader.text("path")
        if let text, text.contains("://") {
            throw reader.invalid("path", "must not be a URL: write it as 'url' instead")
        }
        guard type == .file else { return text ?? "" }
        guard let text else {
            let message = "\(reader.keyPath) has no 'path' or 'url': say where the database is replicated to"
            throw ConfigurationError(.missingKey, message, location: place(of: reader.keyPath))
        }
        return try absolute(reader, "path") { paths throws(PathText.NoHome) in try paths.absolute(text) }.string
    }

    // MARK: How

    private func readTiming(
        _ reader: MappingReader,
        into result: inout ReplicaConfiguration
    ) throws(ConfigurationError) {
        result.syncInterval = try reader.duration("sync-interval") ?? result.syncInterval
        result.maxSyncLTXFiles = try reader.count("max-sync-ltx-files") ?? result.maxSyncLTXFiles
        // Always on; the value is checked all the same.
        _ = try reader.bool("auto-recover")
        if let interval = try reader.duration("validation-interval") {
            result.validationInterval = interval == .zero ? nil : interval
            warn(
                .outdated,
                "'validation-interval' is a key of Litestream 0.3: the replica is restored and compared at that "
                    + "interval; its successor is 'validation.interval' at the top level",
                at: reader.keyLocation("validation-interval"),
            )
        }
    }

    private func readOutdated(
        _ reader: MappingReader,
        into result: inout ReplicaConfiguration,
        database: FilePath,
        _ shared: inout SharedTiming
    ) throws(ConfigurationError) {
        if let name = try reader.text("name") {
            result.name = name
            warn(
                .outdated,
                "'name' is a key of Litestream 0.3: a replica is named by its place, its 'path' or 'url', now; the "
                    + "name is shown in logs only",
                at: reader.keyLocation("name"),
            )
        }
        if let value = try outdatedDuration("snapshot-interval", successor: "snapshot.interval", in: reader) {
            let keyPath = reader.path("snapshot-interval")
            shared.snapshotInterval.append(SharedDuration(value: value, keyPath: keyPath, database: database))
        }
        if let value = try outdatedDuration("retention", successor: "snapshot.retention", in: reader) {
            let keyPath = reader.path("retention")
            shared.snapshotRetention.append(SharedDuration(value: value, keyPath: keyPath, database: database))
        }
        if let value = try retentionCheckInterval(reader) { shared.retentionCheckInterval.append(value) }
    }

    private func retentionCheckInterval(_ reader: MappingReader) throws(ConfigurationError) -> Duration? {
        let key = "retention-check-interval"
        guard let value = try reader.duration(key) else { return nil }
        guard value > .zero else {
            throw reader.invalid(key, "must be greater than 0, not \(DurationText.format(value))")
        }
        warn(
            .outdated,
            "'\(key)' is a key of Litestream 0.3: it is followed; its successor 'snapshot.interval' looks for old "
                + "files after every snapshot",
            at: reader.keyLocation(key),
        )
        return value
    }

    // MARK: Not here

    private func refuseAge(_ reader: MappingReader) throws(ConfigurationError) {
        guard let age = reader.node("age") else { return }
        let isEmpty: Bool
        switch age {
        case .mapping(let mapping):
            isEmpty = mapping.allSatisfy { _, value in value.scalar?.isNull ?? (value.sequence?.isEmpty ?? false) }
        default: isEmpty = false
        }
        guard !isEmpty else { return }
        throw ConfigurationError(
            .notServed,
            "'age' is not served yet: encryption on this side is not offered, remove the key to replicate without it",
            location: reader.keyLocation("age"),
        )
    }

    private func warnForeign(_ reader: MappingReader) {
        for (type, keys) in ConfigurationKeys.foreign {
            for key in keys where reader.node(key) != nil {
                warn(
                    .ignored,
                    "'\(key)' has no effect: it belongs to replicas of type \(type), which are not served yet",
                    at: reader.keyLocation(key),
                )
            }
        }
    }

    private func raisePartSize(_ settings: inout S3Settings, _ keyPath: String) {
        let smallest = S3Settings().partSize
        guard settings.partSize > 0, settings.partSize < smallest else { return }
        warn(
            .adjusted,
            "part-size \(settings.partSize) is below what S3 takes: \(smallest) (5 MiB) is used",
            at: place(of: "\(keyPath).part-size"),
        )
        settings.partSize = smallest
    }
}
