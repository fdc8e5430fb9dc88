/// The configuration files that were tried with Litestream 0.5.17, by name.
enum ConfigurationFixtures {
    static let texts: [String: String] = [
        "01-plain": #"""
        # One database, one file replica, everything else at its default.
        dbs:
          - path: /data/app.db
            replica:
              path: /backup/app
        """#,
        "02-env": #"""
        # Environment expansion happens on the text of the whole file, before YAML.
        # Run with: APP_DB=/data/env.db BUCKET=bkt KEY=AKID SECRET=shh
        access-key-id: ${KEY}
        secret-access-key: $SECRET
        dbs:
          - path: ${APP_DB}
            meta-path: /data/meta-$PID
            replica:
              type: s3
              bucket: $BUCKET
              path: prefix-${NOT_SET}-end
              region: us-east-1
        """#,
        "03-replicas-list": #"""
        # The 0.3 spelling: a list. One entry is still accepted.
        dbs:
          - path: /data/app.db
            replicas:
              - type: file
                name: local
                path: /backup/app
                sync-interval: 10s
        """#,
        "04-replica-url": #"""
        # URL forms. Credentials and options may stand beside the URL or in its query.
        dbs:
          - path: /data/a.db
            replica:
              url: s3://bkt/some/prefix?region=eu-west-1&partSize=8388608&concurrency=3&storage-class=STANDARD_IA
          - path: /data/b.db
            replica:
              url: s3://bkt/b?endpoint=localhost:9000&forcePathStyle=true&skipVerify=false&signPayload=true&requireContentMD5=true
              access-key-id: minioadmin
              secret-access-key: minioadmin
          - path: /data/c.db
            replica:
              url: s3://bkt.nyc3.digitaloceanspaces.com/c
          - path: /data/d.db
            replica:
              url: file:///backup/d
          - path: /data/e.db
            replica:
              url: sftp://user:pass@backup.example.com:2222/srv/e
          - path: sqlite3:///data/f.db
            replica:
              url: gs://bkt/f
          - path: ~/g.db
            replica:
              url: abs://account@container/g
        """#,
        "05-dir-pattern": #"""
        # Every SQLite file under a folder. Replica paths get the file's relative path
        # appended. FIXTURE_DIR must exist for `replicate`.
        dbs:
          - dir: ${FIXTURE_DIR}/tenants
            pattern: "*.db"
            recursive: true
            watch: true
            meta-dir: ${FIXTURE_DIR}/meta
            replica:
              path: ${FIXTURE_DIR}/backup
        """#,
        "06-levels-snapshot": #"""
        # Compaction levels, snapshots, retention and the other global timers.
        levels:
          - interval: 10s
          - interval: 1m
        snapshot:
          interval: 6h
          retention: 72h
        l0-retention: 0
        l0-retention-check-interval: 30s
        verify-compaction: true
        retention:
          enabled: false
        validation:
          interval: 5m
        shutdown-sync-timeout: 5s
        shutdown-sync-interval: 250ms
        sync-interval: 2s
        dbs:
          - path: /data/app.db
            monitor-interval: 500ms
            checkpoint-interval: 30s
            busy-timeout: 3s
            min-checkpoint-page-count: 500
            truncate-page-n: 20000
            max-sync-wal-bytes: 16777216
            restore-if-db-not-exists: true
            replica:
              path: /backup/app
              max-sync-ltx-files: 64
              auto-recover: true
              part-size: 8MiB
              concurrency: 4
        """#,
        "07-services": #"""
        # exec, metrics, MCP, control socket, heartbeat, logging.
        exec: sleep 1
        addr: "127.0.0.1:19090"
        mcp-addr: "127.0.0.1:13001"
        socket:
          enabled: true
          path: ${FIXTURE_DIR}/litestream.sock
          permissions: 0660
        heartbeat-url: http://127.0.0.1:1/ping
        heartbeat-interval: 2m
        logging:
          level: debug
          type: json
          stderr: true
          source: true
        dbs:
          - path: ${FIXTURE_DIR}/app.db
            replica:
              path: ${FIXTURE_DIR}/backup
        """#,
        "08-deprecated-03": #"""
        # A configuration for 0.3 with its timing keys.
        addr: ":9090"
        dbs:
          - path: /data/app.db
            monitor-interval: 1s
            checkpoint-interval: 1m
            min-checkpoint-page-count: 1000
            max-checkpoint-page-count: 10000
            replicas:
              - name: offsite
                type: s3
                bucket: bkt
                path: app
                region: us-east-1
                retention: 72h
                retention-check-interval: 1h
                snapshot-interval: 24h
                validation-interval: 12h
                sync-interval: 1s
        """#,
        "09-unknown-key": #"""
        # Keys nobody knows, at every depth, and one misspelled key.
        colour: blue
        dbs:
          - path: /data/app.db
            checkpont-interval: 5s
            replica:
              path: /backup/app
              synch-interval: 5s
        """#,
        "10-missing-path": #"""
        # A database without a path.
        dbs:
          - replica:
              path: /backup/app
        """#,
        "11-bad-duration": #"""
        # Days are no unit of a duration.
        snapshot:
          retention: 7d
        dbs:
          - path: /data/app.db
            replica:
              path: /backup/app
        """#,
        "12-duplicate-db": #"""
        # The same database twice, towards two replicas.
        dbs:
          - path: ${FIXTURE_DIR}/app.db
            replica:
              path: ${FIXTURE_DIR}/backup-1
          - path: ${FIXTURE_DIR}/app.db
            replica:
              path: ${FIXTURE_DIR}/backup-2
        """#,
    ]
}
