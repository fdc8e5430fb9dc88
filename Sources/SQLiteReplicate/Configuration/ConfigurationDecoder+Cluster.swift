import Cluster
import Yams

extension ConfigurationDecoder {
    /// Reads `cluster`; `nil` where there is none.
    func cluster(_ top: MappingReader) throws(ConfigurationError) -> ClusterConfiguration? {
        guard let reader = try top.mapping("cluster") else {
            if top.has("cluster") {
                warn(
                    .ignored,
                    "'cluster' has no value and so no effect: write 'cluster: {}' for a cluster with all defaults",
                    at: top.keyLocation("cluster")
                )
            }
            return nil
        }
        try reader.check(known: ConfigurationKeys.cluster)
        var result = ClusterConfiguration()
        result.name = try reader.text("name") ?? result.name
        try readAddresses(reader, into: &result)
        try readTimes(reader, into: &result)
        result.failureThreshold = try reader.count("failure-threshold") ?? result.failureThreshold
        result.isFailsafe = try reader.word("failsafe", Failsafe.self) != .off
        try readHoldDown(reader, into: &result)
        result.spoolLimit = try reader.byteSize("spool-limit") ?? result.spoolLimit
        result.tailPolicy = try reader.word("tail-policy", NodeConfiguration.TailPolicy.self) ?? result.tailPolicy
        if let after = try reader.mapping("post-failover") {
            try after.check(known: ["service", "writer"])
            result.postFailover.service = try after.bool("service") ?? true
            result.postFailover.writer = try after.bool("writer") ?? true
        }
        if let hooks = try reader.mapping("hooks") {
            try hooks.check(known: ["primary", "standby", "fence"])
            result.hooks.primary = try hooks.text("primary")
            result.hooks.standby = try hooks.text("standby")
            result.hooks.fence = try hooks.text("fence")
        }
        return result
    }

    /// Reads `service`.
    func service(_ reader: MappingReader?) throws(ConfigurationError) -> ServiceConfiguration {
        var result = ServiceConfiguration()
        guard let reader else { return result }
        try reader.check(known: ConfigurationKeys.service)
        result.servesHealth = try reader.bool("health") ?? result.servesHealth
        result.writes = try reader.bool("writer") ?? result.writes
        result.replicates = try reader.bool("replication") ?? result.replicates
        result.writerInterval = try reader.duration("writer-interval") ?? result.writerInterval
        return result
    }

    private enum Failsafe: String, CaseIterable { case auto, off }

    private func readAddresses(
        _ reader: MappingReader,
        into result: inout ClusterConfiguration
    ) throws(ConfigurationError) {
        result.token = try reader.secret("token")
        result.healthURL = try reader.text("health-url")
        if let text = try reader.text("listen") {
            guard let address = ListenAddress(text) else {
                throw reader.invalid(
                    "listen",
                    "must be HOST:PORT, [IPV6]:PORT, or :PORT for all addresses of the host, not '\(text)'"
                )
            }
            result.listen = address
        }
        if var url = try reader.text("url") {
            while url.hasSuffix("/") { url.removeLast() }
            result.url = url
            warnAboutReach(url, result.listen, reader)
        } else if result.listen.isEverywhere {
            warn(
                .adjusted,
                "'listen' is all addresses of this host, and no other node knows one of them: add "
                    + "'url: http://HOST:\(result.listen.port)'",
                at: place(of: reader.path("listen"))
            )
        }
    }

    /// Addresses that cannot both be right, unless something passes requests on.
    private func warnAboutReach(_ url: String, _ listen: ListenAddress, _ reader: MappingReader) {
        let isLocal = Endpoint.isLoopback(Endpoint.host(of: url))
        if isLocal, !listen.isLoopback {
            warn(
                .adjusted,
                "'url' is this host's own loopback, where other hosts find only themselves: name the address that they "
                    + "reach, or leave it out",
                at: place(of: reader.path("url"))
            )
        } else if !isLocal, listen.isLoopback {
            warn(
                .adjusted,
                "'url' is reached from other hosts only if something passes requests on to \(listen): set 'listen' if "
                    + "nothing does",
                at: place(of: reader.path("url"))
            )
        }
    }

    private func readTimes(
        _ reader: MappingReader,
        into result: inout ClusterConfiguration
    ) throws(ConfigurationError) {
        result.ttl = try reader.duration("ttl") ?? result.ttl
        result.poll = try reader.duration("poll")
        result.healthInterval = try reader.duration("health-interval") ?? result.healthInterval
        result.maxCatchUp = try reader.duration("max-catch-up") ?? result.maxCatchUp
        result.drain = try reader.duration("drain") ?? result.drain
        result.handoff = try reader.duration("handoff") ?? result.handoff
        result.followInterval = try reader.duration("follow-interval") ?? result.followInterval
    }

    private func readHoldDown(
        _ reader: MappingReader,
        into result: inout ClusterConfiguration
    ) throws(ConfigurationError) {
        guard let node = reader.node("hold-down") else { return }
        if let scalar = node.scalar {
            guard scalar.boolValue == false else {
                throw reader.invalid(
                    "hold-down",
                    "must be off, or a mapping such as {takeovers: 3, window: 1h}, not '\(scalar.string)'"
                )
            }
            result.holdDown = nil
            return
        }
        guard let bound = try reader.mapping("hold-down") else { return }
        try bound.check(known: ["takeovers", "window"])
        var holdDown = ClusterConfiguration.HoldDown()
        holdDown.takeovers = try bound.count("takeovers") ?? holdDown.takeovers
        holdDown.window = try bound.duration("window") ?? holdDown.window
        result.holdDown = holdDown
    }
}
