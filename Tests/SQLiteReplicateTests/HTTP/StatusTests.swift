import Cluster
import Foundation
import ObjectStorage
import Replication
import SQLiteReplicate
import SystemPackage
import TestSupport
import Testing

@Suite(.timeLimit(.minutes(1))) struct StatusTests {
    /// A primary about which all is known.
    private func primary() async -> TestNode {
        let node = TestNode(1, role: .primary)
        await node.set { status in
            status.position = ChainPoint(number: 0x2A, checksum: 0x8000_0000_0000_00FF)
            (status.lag, status.lagTransactions, status.isWritable) = (.milliseconds(1250), 3, true)
            (status.unacknowledgedTails, status.failedHealthChecks) = (2, 1)
            status.degradations = ["store away"]
            (status.lastProvenRestore, status.lastProvenTransaction) = (1_700_000_000, 0x28)
            let lease = Lease(
                cluster: .sample,
                epoch: Epoch(rawValue: 3),
                session: SessionID(rawValue: 0x5E),
                node: NodeID(rawValue: 1),
                name: "node \"1\"",
                state: .held,
                counter: 4,
                nonce: Nonce(high: 1, low: 2),
                ttl: .seconds(6),
                head: ChainPoint(number: 0x29, checksum: 1),
                begin: 0,
                eligible: [NodeID(rawValue: 1), NodeID(rawValue: 2)],
                url: "http://10.0.0.1:3000"
            )
            status.lease = NodeStatus.LeaseView(lease, unchangedFor: .milliseconds(700))
        }
        return node
    }

    @Test("A node's status is JSON with its keys in order, numbers as hexadecimal digits and moments in UTC")
    func status() async throws {
        var settings = HealthServerSettings(port: 0)
        settings.version = "1.4.0"
        let server = await HealthServer(settings, node: primary(), logger: .silent)
        try await withServer(server) { url in
            let answer = try await send("GET", url + "/status")
            #expect(answer.status == 200 && answer.header("content-type") == "application/json")
            let expected = """
                {"cluster":"00000000000000c1","databases":[],"degraded":["store away"],"epoch":3,\
                "failed_health_checks":1,"failure":null,"healthy":true,"lag_seconds":1.25,"lag_transactions":3,\
                "last_proven_restore":"2023-11-14T22:13:20Z","last_proven_restore_txid":"0000000000000028",\
                "lease":{"age_seconds":0.7,"eligible":["0000000000000001","0000000000000002"],"epoch":3,\
                "head":{"checksum":"0000000000000001","txid":"0000000000000029"},"name":"node \\"1\\"",\
                "node":"0000000000000001","state":"held","ttl_ms":6000,"url":"http://10.0.0.1:3000"},\
                "name":"node 1","node":"0000000000000001",\
                "position":{"checksum":"80000000000000ff","txid":"000000000000002a"},"role":"primary",\
                "tails":{"unacknowledged":2},"version":"1.4.0","writable":true}
                """
            #expect(answer.body == expected)
            let document = try await NodeClient().status(of: url + "/")
            #expect(document.lease?.ttlMilliseconds == 6000 && document.role == "primary")
            #expect(document == (try JSONDecoder().decode(StatusDocument.self, from: Data(answer.body.utf8))))
        }
    }

    @Test("What does not apply is null, so that the keys are always there; a node that fails says so with 200")
    func nulls() async throws {
        try await withServer(nil) { url in
            let plain = try await send("GET", url + "/status")
            let expected = """
                {"cluster":null,"databases":[],"degraded":[],"epoch":null,"failed_health_checks":null,"failure":null,\
                "healthy":true,"lag_seconds":null,"lag_transactions":null,"last_proven_restore":null,\
                "last_proven_restore_txid":null,"lease":null,"name":null,"node":null,"position":null,"role":null,\
                "tails":null,"version":null,"writable":null}
                """
            #expect(plain.body == expected)
        }
        let node = await primary()
        await node.set { status in
            (status.failure, status.lease, status.lastProvenRestore) = ("halted", nil, nil)
            status.lag = .seconds(Int64.max)
        }
        try await withServer(node) { url in
            let document = try await NodeClient().status(of: url)
            #expect(!document.isHealthy && document.failure == "halted" && document.lease == nil)
            #expect(try await send("GET", url + "/status").status == 200)
        }
    }

    @Test("The metrics are Prometheus' text, each with its help and type, and one role")
    func metrics() async throws {
        try await withServer(primary()) { url in
            let answer = try await send("GET", url + "/metrics")
            #expect(answer.status == 200)
            #expect(answer.header("content-type") == "text/plain; version=0.0.4; charset=utf-8")
            let metrics = try PrometheusText(answer.body)
            #expect(metrics.value("sqlite_replicate_healthy") == 1)
            #expect(metrics.value("sqlite_replicate_degraded") == 1)
            #expect(metrics.value("sqlite_replicate_epoch") == 3)
            #expect(metrics.value("sqlite_replicate_position_txid") == 42)
            #expect(metrics.value("sqlite_replicate_lag_seconds") == 1.25)
            #expect(metrics.value("sqlite_replicate_lag_transactions") == 3)
            #expect(metrics.value("sqlite_replicate_writable") == 1)
            #expect(metrics.value("sqlite_replicate_lease_age_seconds") == 0.7)
            #expect(metrics.value("sqlite_replicate_tails_unacknowledged") == 2)
            #expect(metrics.value("sqlite_replicate_failed_health_checks") == 1)
            #expect(metrics.value("sqlite_replicate_last_proven_restore_timestamp_seconds") == 1_700_000_000)
            #expect(metrics.value("sqlite_replicate_last_proven_restore_txid") == 40)
            let roles = metrics.samples.filter { $0.name == "sqlite_replicate_role" }
            #expect(roles.count == Role.allCases.count)
            #expect(roles.filter { $0.value == 1 }.map(\.labels) == [["role": "primary"]])
        }
    }

    @Test("Labels are escaped, whatever a node is called")
    func labels() async throws {
        let node = TestNode()
        await node.set { $0.name = "a\"b\\c\nd=\",}" }
        try await withServer(node) { url in
            let metrics = try PrometheusText(try await send("GET", url + "/metrics").body)
            let info = metrics.samples.first { $0.name == "sqlite_replicate_node_info" }
            #expect(info?.labels["name"] == "a\"b\\c\nd=\",}")
            #expect(metrics.value("sqlite_replicate_lease_age_seconds") == nil)
        }
    }

    @Test("A service that only replicates tells of its databases, and is not 503 because of its store")
    func replicators() async throws {
        try await withTemporaryFolder { folder in
            // Its service does not run: it waits for its database.
            let path = folder.appending("app.db")
            let replica = Replica(store: FolderStore(root: folder.appending("replica")), layout: .folder)
            let replicator = DatabaseReplicator(DatabaseSettings(database: path), replica: replica, logger: .silent)
            let server = HealthServer(HealthServerSettings(port: 0), replicators: [replicator], logger: .silent)
            try await withServer(server) { url in
                let health = try await send("GET", url + "/health")
                #expect(
                    health.status == 200 && health.header("x-degraded")?.contains("app.db is not replicated") == true
                )
                let document = try await NodeClient().status(of: url)
                #expect(
                    document.databases.map(\.path) == [path.string] && document.databases.map(\.phase) == ["waiting"]
                )
                #expect(document.degraded.count == 1 && document.isHealthy && document.role == nil)
                let metrics = try PrometheusText(try await send("GET", url + "/metrics").body)
                let sample = metrics.samples.first { $0.name == "sqlite_replicate_database_replicated" }
                #expect(sample?.value == 0 && sample?.labels == ["database": path.string])
                #expect(metrics.value("sqlite_replicate_degraded") == 1)
            }
        }
    }
}
