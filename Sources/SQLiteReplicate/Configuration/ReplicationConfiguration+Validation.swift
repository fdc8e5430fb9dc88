import SystemPackage

extension ReplicationConfiguration {
    /// Checks every value and every pair of values that exclude each other.
    ///
    /// A configuration read from a file was checked already.
    ///
    /// - Throws: ``ConfigurationError`` with code ``ConfigurationError/Code/invalidValue`` or
    ///   ``ConfigurationError/Code/conflict``, which names the key.
    public func validate() throws(ConfigurationError) {
        try validate { _ in nil }
    }

    /// The same, with the place of each key path.
    func validate(place: @escaping (String) -> ConfigurationLocation?) throws(ConfigurationError) {
        let check = ConfigurationCheck(place: place)
        guard levels.count <= 8 else {
            throw check.error("levels[8]", "is one level too many: \(levels.count) are given, 8 is the most")
        }
        for (index, interval) in levels.enumerated() { try check.positive("levels[\(index)].interval", interval) }
        try check.positive("snapshot.interval", snapshot.interval)
        try check.positive("snapshot.retention", snapshot.retention)
        if let retentionCheckInterval { try check.positive("retention-check-interval", retentionCheckInterval) }
        try check.notNegative("l0-retention", l0Retention)
        try check.positive("l0-retention-check-interval", l0RetentionCheckInterval)
        if let validationInterval { try check.positive("validation.interval", validationInterval) }
        try check.notNegative("shutdown-sync-timeout", shutdownSyncTimeout)
        try check.positive("shutdown-sync-interval", shutdownSyncInterval)
        if heartbeatInterval < .seconds(60) {
            let text = DurationText.format(heartbeatInterval)
            throw check.error("heartbeat-interval", "must be at least 1 minute, not \(text)")
        }
        if let heartbeatURL, !Endpoint.isHTTP(heartbeatURL) {
            let scheme = Endpoint.scheme(of: heartbeatURL).map { ", not \($0)://" } ?? ""
            throw check.error("heartbeat-url", "must begin with http:// or https:// and a host\(scheme)")
        }
        if let exec {
            do throws(ProgramError) { _ = try ProgramCommand(parsing: exec) } catch {
                throw check.error("exec", "cannot be run: \(error.message)")
            }
        }
        for (index, database) in databases.enumerated() { try database.validate(check, keyPath: "dbs[\(index)]") }
        try checkPairs(check)
        try service.validate(check)
        if let cluster { try cluster.validate(check, databases: databases) }
    }

    /// Databases that would ruin each other.
    private func checkPairs(_ check: ConfigurationCheck) throws(ConfigurationError) {
        var (paths, metaPaths, places): ([String: Int], [String: Int], [String: Int]) = ([:], [:], [:])
        for (index, database) in databases.enumerated() {
            if let first = paths.updateValue(index, forKey: database.path.string) {
                throw check.conflict(
                    "dbs[\(index)].path",
                    "is \(database.path), which is database \(first + 1) already: each is listed once"
                )
            }
            if let first = metaPaths.updateValue(index, forKey: database.metaPath.string) {
                throw check.conflict(
                    "dbs[\(index)].meta-path",
                    "is \(database.metaPath), as for database \(first + 1): each needs a folder of its own"
                )
            }
            let replica = database.replica
            if let first = places.updateValue(index, forKey: replica.identity) {
                throw check.conflict(
                    "dbs[\(index)].replica",
                    "is \(replica.displayName), as for database \(first + 1) (\(databases[first].path)): two databases "
                        + "in one place ruin each other, give each a path of its own"
                )
            }
        }
    }
}

extension DatabaseConfiguration {
    fileprivate func validate(_ check: ConfigurationCheck, keyPath: String) throws(ConfigurationError) {
        guard !path.isEmpty else { throw check.error("\(keyPath).path", "must not be empty") }
        guard !metaPath.isEmpty else { throw check.error("\(keyPath).meta-path", "must not be empty") }
        try check.positive("\(keyPath).monitor-interval", monitorInterval)
        try check.notNegative("\(keyPath).checkpoint-interval", checkpointInterval)
        try check.notNegative("\(keyPath).busy-timeout", busyTimeout)
        if let minCheckpointPageCount, minCheckpointPageCount < 1 {
            throw check.error(
                "\(keyPath).min-checkpoint-page-count",
                "must be at least 1, not \(minCheckpointPageCount)"
            )
        }
        if let maxSyncWALBytes, maxSyncWALBytes < 0 {
            throw check.error("\(keyPath).max-sync-wal-bytes", "must not be negative: \(maxSyncWALBytes)")
        }
        try replica.validate(check, keyPath: "\(keyPath).replica")
    }
}

extension ReplicaConfiguration {
    fileprivate func validate(_ check: ConfigurationCheck, keyPath: String) throws(ConfigurationError) {
        try check.positive("\(keyPath).sync-interval", syncInterval)
        if let validationInterval { try check.positive("\(keyPath).validation-interval", validationInterval) }
        guard maxSyncLTXFiles >= 0 else {
            throw check.error("\(keyPath).max-sync-ltx-files", "must not be negative: \(maxSyncLTXFiles)")
        }
        if type == .s3 { try s3.validate(check, keyPath: keyPath) }
        if type == .file, path.isEmpty { throw check.error("\(keyPath).path", "must not be empty") }
    }

    /// The place, so that two replicas at one place are equal, however they are written.
    var identity: String {
        guard type == .s3 else { return "file:\(path)" }
        let trimmed = path.split(separator: "/").filter { $0 != "." }.joined(separator: "/")
        return "s3:\(s3.endpoint ?? ""):\(s3.bucket):\(trimmed)"
    }
}

extension S3Settings {
    /// Checks every value.
    func validate(_ check: ConfigurationCheck, keyPath: String) throws(ConfigurationError) {
        if let concurrency, !(1...1000).contains(concurrency) {
            throw check.error("\(keyPath).concurrency", "must lie between 1 and 1000, not \(concurrency)")
        }
        guard partSize >= 5_242_880, partSize <= 5_368_709_120 else {
            throw check.error("\(keyPath).part-size", "must lie between 5MiB and 5GiB, not \(partSize) bytes")
        }
        guard (accessKeyID == nil) == (secretAccessKey == nil) else {
            let (given, missing) =
                accessKeyID == nil ? ("secret-access-key", "access-key-id") : ("access-key-id", "secret-access-key")
            throw check.error("\(keyPath).\(given)", "is given without '\(missing)': write both or neither")
        }
        let hasOwnKey = sseCustomerKey != nil || sseCustomerKeyPath != nil
        if sseCustomerKey != nil, sseCustomerKeyPath != nil {
            throw check.conflict("\(keyPath).sse-customer-key-path", "excludes 'sse-customer-key': keep one of them")
        }
        if hasOwnKey, sseKMSKeyID != nil {
            throw check.conflict("\(keyPath).sse-kms-key-id", "excludes the keys 'sse-customer-…': keep one kind")
        }
        if let sseCustomerKey, !sseCustomerKey.exposed.isBase64Of32Bytes {
            throw check.error("\(keyPath).sse-customer-key", "must be 32 bytes in base64 (44 characters)")
        }
        if let sseCustomerAlgorithm, sseCustomerAlgorithm != "AES256" {
            throw check.error("\(keyPath).sse-customer-algorithm", "must be AES256, not '\(sseCustomerAlgorithm)'")
        }
        if let endpoint, hasOwnKey, endpoint.hasPrefix("http://"), !Endpoint.isLocal(Endpoint.hostAndPort(of: endpoint))
        {
            throw check.error(
                "\(keyPath).endpoint",
                "must be https:// where a key of one's own encrypts: it travels along"
            )
        }
    }
}

extension String {
    fileprivate var isBase64Of32Bytes: Bool {
        let characters = Array(utf8)
        guard characters.count == 44, characters[43] == UInt8(ascii: "=") else { return false }
        return characters.dropLast().allSatisfy {
            ($0 | 0x20 >= 0x61 && $0 | 0x20 <= 0x7A) || ($0 >= 0x30 && $0 <= 0x39) || $0 == 0x2B || $0 == 0x2F
        }
    }
}
