import Cluster
import Replication
import SystemPackage

/// What is looked at when somebody asks how this process is doing.
struct HealthSource: Sendable {
    let node: (any NodeControl)?
    let replicators: [DatabaseReplicator]
    let watch: HealthWatch?
    let check: @Sendable () async -> String?

    /// Looks at all of it.
    func look() async -> HealthReport {
        var report = HealthReport()
        if let node {
            var status = await node.status()
            if let watch { status.failedHealthChecks = watch.failedInARow }
            report.degradations = status.degradations
            report.failure = status.failure
            if report.failure == nil { report.failure = await node.readCheck() }
            report.status = status
        }
        if report.failure == nil { report.failure = await check() }
        for replicator in replicators {
            let database = HealthReport.Database(
                path: replicator.settings.database.string,
                status: await replicator.status()
            )
            // In a cluster the node tells of its own replication.
            if node == nil, let words = database.degradation { report.degradations.append(words) }
            report.databases.append(database)
        }
        return report
    }
}
