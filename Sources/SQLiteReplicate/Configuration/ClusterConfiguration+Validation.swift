extension ClusterConfiguration {
    /// Checks every value, and refuses what would be unsafe, with the line that makes it safe.
    func validate(_ check: ConfigurationCheck, databases: [DatabaseConfiguration]) throws(ConfigurationError) {
        guard let database = databases.first, databases.count == 1 else {
            let fact = databases.isEmpty ? "and none is listed" : "not \(databases.count)"
            throw check.conflict(
                databases.isEmpty ? "cluster" : "dbs[1]",
                databases.isEmpty
                    ? "needs exactly one database under 'dbs', \(fact)"
                    : "is one too many: a 'cluster' has exactly one database, \(fact); give each a process and a "
                        + "configuration of its own"
            )
        }
        try validateName(check)
        try validateTimes(check)
        try validateAddresses(check)
        guard failureThreshold >= 1 else {
            throw check.error("cluster.failure-threshold", "must be at least 1, not \(failureThreshold)")
        }
        if let holdDown {
            guard holdDown.takeovers >= 1 else {
                throw check.error(
                    "cluster.hold-down.takeovers",
                    "must be at least 1, not \(holdDown.takeovers): write 'hold-down: off' for no bound"
                )
            }
            try check.positive("cluster.hold-down.window", holdDown.window)
        }
        guard spoolLimit >= 1 << 20 else {
            throw check.error("cluster.spool-limit", "must be at least 1MiB, not \(spoolLimit) bytes")
        }
        try validateTwoStores(check, own: database.replica)
    }

    private func validateName(_ check: ConfigurationCheck) throws(ConfigurationError) {
        guard !name.isEmpty, name.count <= 64, !name.unicodeScalars.contains(where: Self.isUnfitForName) else {
            throw check.error("cluster.name", "must have 1 to 64 characters, none of them a space or control character")
        }
        guard !(name.utf8.count == 16 && name.allSatisfy(\.isHexDigit)) else {
            throw check.error("cluster.name", "must not be 16 hexadecimal digits: it would be taken for a node's id")
        }
    }

    private static func isUnfitForName(_ scalar: Unicode.Scalar) -> Bool {
        scalar.properties.isWhitespace || scalar.properties.generalCategory == .control
    }

    private func validateTimes(_ check: ConfigurationCheck) throws(ConfigurationError) {
        guard (.milliseconds(300) ... .seconds(86_400)).contains(ttl) else {
            throw check.error("cluster.ttl", "must lie between 300ms and 24h, not \(DurationText.format(ttl))")
        }
        // A gap of a third of it between two looks would begin a standby's count anew.
        if let poll, !(.milliseconds(10)...ttl / 4).contains(poll) {
            let words = "must lie between 10ms and a quarter of 'ttl' (\(DurationText.format(ttl / 4)))"
            throw check.error("cluster.poll", "\(words), not \(DurationText.format(poll))")
        }
        try check.positive("cluster.health-interval", healthInterval)
        try check.positive("cluster.max-catch-up", maxCatchUp)
        try check.notNegative("cluster.drain", drain)
        try check.positive("cluster.handoff", handoff)
        try check.positive("cluster.follow-interval", followInterval)
    }

    private func validateAddresses(_ check: ConfigurationCheck) throws(ConfigurationError) {
        guard (0...65535).contains(listen.port), !listen.host.isEmpty else {
            throw check.error("cluster.listen", "must be HOST:PORT with a port up to 65535, not '\(listen)'")
        }
        // Commands go there on plain HTTP: whoever reaches it could take the database over.
        let advice = "add 'token: …' under 'cluster', the same for all nodes ('openssl rand -hex 16' makes one)"
        guard token != nil || listen.isLoopback else {
            throw check.error("cluster.listen", "is reached from other hosts at \(listen): \(advice)")
        }
        if !url.isEmpty {
            try validate(url: url, "url", check)
            guard token != nil || Endpoint.isLoopback(Endpoint.host(of: url)) else {
                throw check.error("cluster.url", "is reached from other hosts: \(advice)")
            }
            guard !["0.0.0.0", "::"].contains(Endpoint.host(of: url)) else {
                throw check.error("cluster.url", "must name this host: nobody reaches one at \(Endpoint.host(of: url))")
            }
            let rest = url.dropFirst((Endpoint.scheme(of: url)?.count ?? 0) + 3)
            guard !rest.contains(where: { "?#".contains($0) }) else {
                throw check.error("cluster.url", "must end behind the host, the port or a path: no '?' and no '#'")
            }
        }
        if let healthURL { try validate(url: healthURL, "health-url", check) }
        if let token {
            guard token.exposed.utf8.count >= 8, token.exposed.utf8.allSatisfy({ (0x21...0x7E).contains($0) }) else {
                throw check.error(
                    "cluster.token",
                    "must have at least 8 characters, all of them visible ASCII: 'openssl rand -hex 16' makes one"
                )
            }
        }
    }

    private func validate(
        url: String,
        _ key: String,
        _ check: ConfigurationCheck
    ) throws(ConfigurationError) {
        guard Endpoint.isHTTP(url) else {
            let scheme = Endpoint.scheme(of: url).map { ", not \($0)://" } ?? ""
            throw check.error("cluster.\(key)", "must begin with http:// or https:// and a host\(scheme)")
        }
        guard !Endpoint.hostAndPort(of: url).contains("@") else {
            throw check.error("cluster.\(key)", "must not hold a user or password")
        }
    }
}

extension ServiceConfiguration {
    func validate(_ check: ConfigurationCheck) throws(ConfigurationError) {
        try check.positive("service.writer-interval", writerInterval)
    }
}
