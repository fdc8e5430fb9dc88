import Cluster
import LTX
import ObjectStorage
import Replication

extension StatusDocument {
    init(_ report: HealthReport, version: String?) {
        (isHealthy, failure, degraded) = (report.failure == nil, report.failure, report.degradations)
        self.version = version
        databases = report.databases.map { database in
            Database(
                path: database.path,
                phase: database.status.phase.rawValue,
                isHealthy: database.status.isHealthy,
                txid: database.status.transaction?.description,
                replicatedTxid: database.status.replicated?.description,
                spooledByteCount: database.status.spooledByteCount,
                error: database.status.lastError,
                lastProvenRestore: database.proof?.time.shortText,
                lastProvenRestoreTxid: database.proof?.transaction.description
            )
        }
        guard let status = report.status else { return }
        (cluster, node, name) = (status.cluster?.description, status.node.description, status.name)
        (role, epoch, position) = (status.role.rawValue, status.epoch.rawValue, Place(status.position))
        (lagSeconds, lagTransactions) = (status.lag.roundedSeconds, status.lagTransactions)
        isWritable = status.isWritable
        lease = status.lease.map { Lease($0) }
        tails = Tails(unacknowledged: status.unacknowledgedTails)
        failedHealthChecks = status.failedHealthChecks
        lastProvenRestore = status.lastProvenRestore.map { seconds in
            let (milliseconds, isLarge) = seconds.multipliedReportingOverflow(by: 1000)
            return Timestamp(rawValue: isLarge ? 0 : milliseconds).shortText
        }
        lastProvenRestoreTxid = status.lastProvenTransaction.map { SessionID(rawValue: $0).description }
    }
}

extension StatusDocument.Place {
    init(_ point: ChainPoint) {
        txid = SessionID(rawValue: point.number).description
        checksum = SessionID(rawValue: point.checksum).description
    }
}

extension StatusDocument.Lease {
    init(_ lease: NodeStatus.LeaseView) {
        (node, name, epoch) = (lease.node.description, lease.name, lease.epoch.rawValue)
        (state, url, ttlMilliseconds) = (lease.state.rawValue, lease.url, lease.ttl.wholeMilliseconds)
        (head, eligible) = (.init(lease.head), lease.eligible.map(\.description))
        ageSeconds = lease.unchangedFor.roundedSeconds
    }
}

extension Duration {
    /// Seconds, to the millisecond.
    var roundedSeconds: Double { Double(wholeMilliseconds) / 1000 }

    /// Whole milliseconds, rounded down.
    var wholeMilliseconds: Int64 {
        let (seconds, isLarge) = components.seconds.multipliedReportingOverflow(by: 1000)
        return isLarge ? .max : seconds &+ components.attoseconds / 1_000_000_000_000_000
    }
}
