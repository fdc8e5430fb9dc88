public import Cluster
import Replication

extension NodeConfiguration {
    /// Takes the settings of a configuration file.
    ///
    /// - Parameters:
    ///   - configuration: One that was checked, with ``ReplicationConfiguration/cluster``.
    ///   - beginning: What the node does where there is no cluster yet.
    /// - Throws: ``ConfigurationError`` where there is no cluster, or not exactly one database.
    public init(_ configuration: ReplicationConfiguration, beginning: Beginning) throws(ConfigurationError) {
        let (cluster, database) = try configuration.node
        var settings = DatabaseSettings(configuration, database: database)
        settings.spoolLimit = cluster.spoolLimit
        self.init(database: settings, name: cluster.name)
        (url, self.beginning, ttl, poll) = (cluster.reachableURL, beginning, cluster.ttl, cluster.poll)
        (followInterval, drain, handoff) = (cluster.followInterval, cluster.drain, cluster.handoff)
        (holdDownLimit, maxCatchUp) = (cluster.holdDown?.takeovers, cluster.maxCatchUp)
        if let window = cluster.holdDown?.window { holdDownWindow = window }
        (isFailsafe, isUnsafelyPromoted) = (cluster.isFailsafe, cluster.isUnsafelyPromoted)
        tailPolicy = cluster.tailPolicy
    }
}

extension ReplicationConfiguration {
    /// The cluster and its one database.
    var node: (cluster: ClusterConfiguration, database: DatabaseConfiguration) {
        get throws(ConfigurationError) {
            guard let cluster else {
                throw ConfigurationError(
                    .missingKey,
                    "the configuration has no 'cluster': write 'cluster: {}' for one with all defaults"
                )
            }
            guard databases.count == 1, let database = databases.first else {
                throw ConfigurationError(.conflict, "'cluster' needs exactly one database under 'dbs'")
            }
            return (cluster, database)
        }
    }
}
