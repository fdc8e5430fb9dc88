package import Logging
package import Replication

/// What this host tells of a node's database, for an operator who lets the chain go on from it.
package struct HostRecord: Hashable, Sendable {
    /// The newest transaction that any record or file here knows.
    package var newest: UInt64
    /// The newest transaction of the chain that the database is proven to hold; 0 where it is at no known place.
    package var holds: UInt64
    /// The newest epoch that the records know.
    package var epoch: Epoch

    /// Creates a record.
    package init(newest: UInt64, holds: UInt64, epoch: Epoch) {
        (self.newest, self.holds, self.epoch) = (newest, holds, epoch)
    }
}

/// The database of this host while its node is stopped and the chain is to begin anew with it.
package struct BeginningHost: Sendable {
    private let database: NodeDatabase
    private let node: NodeID
    /// How long it waits for a transaction of another process to end.
    private static let patience = Duration.seconds(10)

    /// Takes a database; nothing is opened yet. The caller holds the locks of its node and of its engine.
    package init(_ settings: DatabaseSettings, node: NodeID, logger: Logger) {
        database = NodeDatabase(settings, logger: logger)
        self.node = node
    }

    /// Takes SQLite's write lock, until ``close()``, and reads the whole database.
    ///
    /// - Throws: ``NodeCommandError``: `refused` where another process writes, or the database is behind what is recorded.
    package func look() async throws(NodeCommandError) -> HostRecord {
        do {
            await database.wantLock()
            await withTimeLimit(Self.patience, late: ()) { await database.lock() }
            guard await database.isLocked else {
                throw NodeCommandError(
                    .refused,
                    "Another process writes to '\(database.path)': stop it first. Nothing was changed."
                )
            }
            let newest = try await database.newestFile()
            let isFounding = try await database.isFounding()
            let finding = try await database.examine(node)
            guard isFounding, let finding else { return try record(finding, files: newest) }
            // An earlier try has noted it, and the lease may say so already: it stands, whatever becomes of this one.
            return try record(finding, before: try await database.placeBeforeFounding(), files: newest)
        } catch let error as NodeCommandError {
            throw error
        } catch {
            throw NodeCommandError(.failed, "\(error)")
        }
    }

    private func record(_ finding: DatabaseFinding?, files newest: UInt64) throws -> HostRecord {
        guard let finding else { return HostRecord(newest: newest, holds: 0, epoch: .zero) }
        var record = HostRecord(newest: max(newest, finding.recorded.number), holds: 0, epoch: finding.epoch)
        guard case .stands(let point, let ahead) = JoinVerdict.decide(finding, leftOut: []) else { return record }
        record.holds = point.number
        guard point.number >= finding.recorded.number, ahead.count == finding.ahead.count else {
            throw behind(ahead.last?.point ?? point, finding.ahead.last?.point ?? finding.recorded)
        }
        return record
    }

    private func record(
        _ finding: DatabaseFinding,
        before: ChainState?,
        files newest: UInt64
    ) throws -> HostRecord {
        if let before, before.checksum != finding.checksum,
            let older = finding.older.dropLast().last(where: { $0.checksum == finding.checksum })
        {
            throw behind(older, ChainPoint(before))
        }
        return HostRecord(
            newest: max(newest, finding.recorded.number),
            // Only where the database is proven to stand at the place before.
            holds: before.map { $0.checksum == finding.checksum ? $0.number : 0 } ?? 0,
            epoch: Epoch(rawValue: before?.epoch ?? 0)
        )
    }

    private func behind(_ point: ChainPoint, _ newest: ChainPoint) -> NodeCommandError {
        NodeCommandError(
            .refused,
            "'\(database.path)' stands at transaction \(point), and this host had newer ones, up to \(newest): a power cut "
                + "took them, or an older copy was put back. Nothing was changed. Run this on another host, or, if this "
                + "database is to count all the same, remove 'sqlite-replicate/chain' in its metadata folder and run it "
                + "again."
        )
    }

    /// Notes, durably, that the chain begins with this database behind a transaction.
    package func begin(behind number: UInt64) async throws { try await database.found(behind: number) }

    /// Lets go of the database.
    package func close() async { await database.close() }
}
