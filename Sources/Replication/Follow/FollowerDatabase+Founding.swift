package import LTX
import ObjectStorage
package import SystemPackage

/// A chain that begins, or begins anew, with this database (failover-review N15).
extension FollowerDatabase {
    /// Whatever the database holds now is what the chain begins with: nobody else has any of it yet.
    ///
    /// What was captured here before is in the database. Its files go, however often this is interrupted: they would
    /// pass for transactions behind the new beginning.
    func begin(behind number: UInt64, _ checksum: UInt64) throws {
        if journal.recorded?.checksum != checksum {
            try journal.found(at: ChainState(number: number, checksum: checksum, epoch: 0))
        }
        try clearLocalFiles()
        try folder.settle()
    }
}

extension LocalTransaction {
    /// Writes the pages of this file, which holds all of its database, as a snapshot: from the first transaction to `last`.
    ///
    /// Blocks.
    package func writeSnapshot(
        to last: TransactionID,
        at path: FilePath,
        mode: UInt32
    ) throws -> LTXFileSummary {
        var snapshot = LTXHeader(
            pageSize: header.pageSize,
            commit: header.commit,
            minTXID: .first,
            maxTXID: last,
            timestampMilliseconds: header.timestampMilliseconds,
            sourceMark: header.sourceMark
        )
        snapshot.nodeID = node
        return try SpillMerge(inputs: [self.path], output: path, mode: mode, header: snapshot).run()
    }
}
