import Cluster
import LTX
import ObjectStorage
import Replication

/// Numbers in Prometheus' text format.
///
/// The names are a contract: they are kept, and more may come.
struct MetricsText {
    private var text = ""

    /// The text for a report.
    static func of(_ report: HealthReport, version: String?) -> String {
        var metrics = MetricsText()
        metrics.add("healthy", "Whether /health answers 200.", report.failure == nil ? 1 : 0)
        metrics.add("degraded", "Things that are not as they should be, all the same.", report.degradations.count)
        if let status = report.status { metrics.add(status, version) }
        metrics.add(report.databases)
        return metrics.text
    }

    private mutating func add(_ status: NodeStatus, _ version: String?) {
        add(
            "node_info",
            "The node; always 1.",
            [
                (
                    [
                        ("cluster", status.cluster?.description ?? ""), ("node", status.node.description),
                        ("name", status.name), ("version", version ?? ""),
                    ], "1"
                )
            ]
        )
        add(
            "role",
            "What the node is doing: 1 for its role, 0 for the others.",
            Role.allCases.map { ([("role", $0.rawValue)], $0 == status.role ? "1" : "0") }
        )
        add("epoch", "The epoch in which the node writes, or whose files it follows.", status.epoch.rawValue)
        add(
            "position_txid",
            "The newest transaction that the store has accepted, or that was applied.",
            status.position.number
        )
        add("lag_seconds", "For how long there has been something to apply, or to ship.", status.lag.roundedSeconds)
        add("lag_transactions", "Transactions to apply, or to ship.", status.lagTransactions)
        add("writable", "Whether the application may commit.", status.isWritable ? 1 : 0)
        if let lease = status.lease {
            add("lease_age_seconds", "For how long the lease is seen unchanged.", lease.unchangedFor.roundedSeconds)
        }
        add("tails_unacknowledged", "Sets of commits kept aside that nobody has seen.", status.unacknowledgedTails)
        if let count = status.failedHealthChecks {
            add("failed_health_checks", "Checks of the primary's health in a row that failed.", count)
        }
        if let moment = status.lastProvenRestore {
            add("last_proven_restore_timestamp_seconds", "When a restore was last proven equal.", moment)
        }
        if let number = status.lastProvenTransaction {
            add("last_proven_restore_txid", "The transaction to which that restore led.", number)
        }
    }

    private mutating func add(_ databases: [HealthReport.Database]) {
        guard !databases.isEmpty else { return }
        func lines(_ value: (HealthReport.Database) -> String) -> [([(String, String)], String)] {
            databases.map { ([("database", $0.path)], value($0)) }
        }
        add("database_replicated", "Whether the database is replicated.", lines { $0.status.isHealthy ? "1" : "0" })
        add("database_txid", "The newest transaction file.", lines { "\($0.status.transaction?.rawValue ?? 0)" })
        add(
            "database_replicated_txid",
            "The newest transaction file that the store has accepted.",
            lines { "\($0.status.replicated?.rawValue ?? 0)" }
        )
        add("database_spooled_bytes", "Bytes that wait for the store.", lines { "\($0.status.spooledByteCount)" })
        addProofs(databases.compactMap { database in database.proof.map { (database.path, $0) } })
    }

    private mutating func addProofs(_ proofs: [(path: String, proof: RestoreProof)]) {
        guard !proofs.isEmpty else { return }
        add(
            "database_last_proven_restore_timestamp_seconds",
            "When a restore was last proven equal.",
            proofs.map { ([("database", $0.path)], "\($0.proof.time.rawValue / 1000)") }
        )
        add(
            "database_last_proven_restore_txid",
            "The transaction to which that restore led.",
            proofs.map { ([("database", $0.path)], "\($0.proof.transaction.rawValue)") }
        )
    }

    private mutating func add(_ name: String, _ help: String, _ value: some Numeric & CustomStringConvertible) {
        add(name, help, [([], value.description)])
    }

    private mutating func add(_ name: String, _ help: String, _ lines: [([(String, String)], String)]) {
        let name = "sqlite_replicate_\(name)"
        text += "# HELP \(name) \(help)\n# TYPE \(name) gauge\n"
        for (labels, value) in lines {
            let list = labels.map { "\($0)=\"\(Self.escaped($1))\"" }.joined(separator: ",")
            text += labels.isEmpty ? "\(name) \(value)\n" : "\(name){\(list)} \(value)\n"
        }
    }

    private static func escaped(_ label: String) -> String {
        label.reduce(into: "") { text, character in
            switch character {
            case "\\": text += "\\\\"
            case "\"": text += "\\\""
            case let end where end.isNewline: text += "\\n"
            default: text.append(character)
            }
        }
    }
}
