import Cluster
import LTX
import ObjectStorage
import Replication
import SystemPackage

/// What is looked at when somebody asks how this process is doing.
struct HealthSource: Sendable {
    let node: (any NodeControl)?
    let replicators: [DatabaseReplicator]
    let watch: HealthWatch?
    /// What the validations of this process have found.
    let validations: [ValidationRecord]
    let check: @Sendable () async -> String?

    /// Looks at all of it.
    func look() async -> HealthReport {
        var report = HealthReport()
        if let node {
            var status = await node.status()
            if let watch { status.failedHealthChecks = watch.failedInARow }
            // A node has one database.
            if let proof = validations.first?.proof {
                status.lastProvenRestore = proof.time.rawValue / 1000
                status.lastProvenTransaction = proof.transaction.rawValue
            }
            report.degradations = status.degradations
            report.failure = status.failure
            if report.failure == nil { report.failure = await node.readCheck() }
            report.status = status
        }
        if report.failure == nil { report.failure = await check() }
        for validation in validations {
            guard let words = validation.failure else { continue }
            report.degradations.append("the last validation of \(validation.database) failed: \(words)")
        }
        for replicator in replicators {
            let path = replicator.settings.database
            let database = HealthReport.Database(
                path: path.string,
                status: await replicator.status(),
                proof: validations.first { $0.database == path }?.proof
            )
            // In a cluster the node tells of its own replication.
            if node == nil, let words = database.degradation { report.degradations.append(words) }
            report.databases.append(database)
        }
        return report
    }
}
