import LTX
import ObjectStorage
import Replication
import SystemPackage

/// The whole copy with which a chain begins anew, as a snapshot besides: restores then need nothing that lies before.
///
/// What lies before may be another program's, of another page size, or have a gap. The seal holds every page, so what a
/// snapshot says of the places before it counts for nobody once the seal is there; and one that lands late, from a session
/// that is over, says nothing about the places behind the seal.
struct BeginningCopy: Sendable {
    /// The seal, which holds all pages.
    let seal: LocalTransaction
    let chain: ChainStore

    /// Before the seal is created: where files are missing below it, a snapshot that leads to it.
    ///
    /// A seal behind a gap could not be restored until somebody closes it, by this program and by Litestream, and the
    /// node that can may die.
    ///
    /// - Returns: Whether there was a gap.
    func bridge() async throws -> Bool {
        guard let before = TransactionID(exactly: seal.state.number - 1) else { return false }
        let listing = try await chain.replica.list()
        guard listing.highestContiguous.map({ $0 < before }) ?? true else { return false }
        try await write(to: before)
        return true
    }

    /// Once the seal is in the chain: the snapshot at its own place.
    func publish() async throws {
        let listing = try await chain.replica.list(levels: [ReplicaLayout.snapshotLevel])
        let newest = listing.highest(level: ReplicaLayout.snapshotLevel)
        guard newest.map({ $0 < seal.header.maxTXID }) ?? true else { return }
        try await write(to: seal.header.maxTXID)
    }

    private func write(to last: TransactionID) async throws {
        let path = chain.folder.temporaryFile("copy")
        let (seal, mode) = (seal, chain.folder.fileMode)
        let summary = try await onDisk { try seal.writeSnapshot(to: last, at: path, mode: mode) }
        let result: Result<Void, ReplicaError>
        do throws(ReplicaError) {
            // A file that does not hold all pages is no snapshot.
            if summary.databaseChecksum == seal.state.checksum {
                _ = try await chain.replica.put(
                    path,
                    header: summary.header,
                    byteCount: summary.byteCount,
                    level: ReplicaLayout.snapshotLevel
                )
            }
            result = .success(())
        } catch {
            result = .failure(error)
        }
        try await onDisk { try Disk.remove(path) }
        try result.get()
    }
}
