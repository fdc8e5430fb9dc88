/// The keys that a configuration file may hold, by the mapping they stand in.
enum ConfigurationKeys {
    /// The top level, besides ``replicaDefaults``.
    static let top = [
        "dbs", "levels", "snapshot", "retention", "l0-retention", "l0-retention-check-interval", "verify-compaction",
        "validation", "heartbeat-url", "heartbeat-interval", "shutdown-sync-timeout", "shutdown-sync-interval",
        "logging", "exec", "addr", "mcp-addr", "socket", "cluster", "service",
    ]
    /// `cluster`.
    static let cluster = [
        "name", "url", "listen", "token", "ttl", "poll", "health-url", "health-interval", "failure-threshold",
        "failsafe", "hold-down", "max-catch-up", "drain", "handoff", "spool-limit", "tail-policy", "post-failover",
        "hooks", "follow-interval", "peer-store", "witness", "unsafe-auto-promote",
    ]
    /// `cluster.witness`, besides ``s3``.
    static let witness = ["url", "token", "certificate-authorities"]
    /// `service`.
    static let service = ["health", "writer", "replication", "writer-interval"]
    /// `dbs[]`.
    static let database =
        [
            "path", "meta-path", "monitor-interval", "checkpoint-interval", "busy-timeout", "min-checkpoint-page-count",
            "truncate-page-n", "max-sync-wal-bytes", "restore-if-db-not-exists", "snapshot", "replica", "replicas",
            "max-checkpoint-page-count",
        ] + directory
    /// The part of `dbs[]` that means a folder of databases.
    static let directory = ["dir", "pattern", "recursive", "watch", "meta-dir"]
    /// `dbs[].replica`, besides ``replicaDefaults``.
    static let replica = ["type", "url", "path", "name"]
    /// What a replica may set, and the top level for all that do not.
    static let replicaDefaults = timing + s3 + ["age"] + outdatedTiming + foreign.flatMap(\.keys)
    static let timing = ["sync-interval", "max-sync-ltx-files", "auto-recover", "validation-interval"]
    /// Keys of 0.3 in a replica that have successors elsewhere.
    static let outdatedTiming = ["snapshot-interval", "retention-check-interval", "retention"]
    static let s3 = [
        "access-key-id", "secret-access-key", "region", "bucket", "endpoint", "force-path-style", "sign-payload",
        "require-content-md5", "sign-accept-encoding", "skip-verify", "storage-class", "part-size", "concurrency",
        "sse-customer-algorithm", "sse-customer-key", "sse-customer-key-path", "sse-kms-key-id",
    ]
    /// The settings of replica types that are not served yet.
    static let foreign: [(type: String, keys: [String])] = [
        ("abs", ["account-name", "account-key", "sas-token"]),
        ("sftp", ["host", "user", "password", "key-path", "host-key", "concurrent-writes"]),
        ("webdav", ["webdav-url", "webdav-username", "webdav-password"]),
        (
            "nats",
            [
                "jwt", "seed", "creds", "nkey", "username", "token", "tls", "root-cas", "client-cert", "client-key",
                "max-reconnects", "reconnect-wait", "timeout",
            ]
        ),
    ]

    /// Where a key that is unknown in one mapping would be known, for the message.
    static func homes(of key: String) -> [String] {
        [
            ("at the top level", top), ("in 'dbs[]'", database), ("in 'dbs[].replica'", replica + replicaDefaults),
            ("in 'cluster'", cluster), ("in 'service'", service),
        ].filter { $0.1.contains(key) }.map(\.0)
    }
}
