import SQLiteFormat

/// Proves that a recorded position leads to what the write-ahead log holds now, after a time without any lock (E4).
struct Continuity {
    /// How continuity was proven.
    enum Proof: String, Sendable {
        /// The same generation, its running checksum recomputed from frame 1.
        case chain
        /// The next generation, and the old one ended at the recorded frame.
        case residue
        /// The database file has not changed since everything was backfilled.
        case quiet
    }

    let record: PositionRecord
    let reader: WALReader
    let file: WALFile
    /// The look at the wal-index after the reader began.
    let now: WALIndexHeader
    /// The database file before and after the reader began.
    let statusBefore: FileStatus?
    let statusAfter: FileStatus?
    let pageSize: PageSize
    let variant: ProtocolVariant?

    /// The proof and the position to go on from.
    ///
    /// - Throws: ``Discontinuity`` where there is no proof.
    func prove() throws -> (Proof, WALPosition) {
        guard record.pageSize == pageSize else { throw Discontinuity(.anotherFile, "the page size changed") }
        guard let statusAfter, statusAfter.identity == record.database else {
            throw Discontinuity(.anotherFile, "the database is another file than the one recorded")
        }
        let old = record.position
        if now.lastFrame > 0, now.salts == old.salts { return (.chain, try chain()) }
        let sameBoot = !record.bootID.isEmpty && record.bootID == BootID.current
        if sameBoot, try residue() { return (.residue, .start(of: now.salts)) }
        if sameBoot, let quiet = record.quiet, let statusBefore, statusBefore == statusAfter,
            QuietMark(statusAfter) == quiet
        {
            return (.quiet, .start(of: now.salts))
        }
        throw Discontinuity(.anotherGeneration, "\(now.lastFrame) frames")
    }

    /// Same salts: every captured frame must still be there, with the same running checksum.
    private func chain() throws -> WALPosition {
        let old = record.position
        guard now.lastFrame >= old.frame else {
            throw Discontinuity(.wentBack, "from frame \(old.frame) to \(now.lastFrame)")
        }
        guard old.frame > 0 else { return old }
        let end: (position: WALPosition, commitSize: UInt32)
        do {
            end = try reader.frames(after: .start(of: old.salts), through: old.frame, pageSize: pageSize) { _, _, _ in }
        } catch let error as Discontinuity {
            throw Discontinuity(.framesGone, error.description)
        }
        guard end.position == old else { throw Discontinuity(.framesChanged) }
        return old
    }

    /// The next generation began right where the capture had ended: frame n is still ours, and the frame behind it is
    /// of an older generation, since an appended one would have overwritten it.
    private func residue() throws -> Bool {
        let old = record.position
        guard old.frame > 0, now.lastFrame > 0, now.salts.first &- old.salts.first == 1 else { return false }
        if variant == .saltPlusOneAfterDeath { return true }
        let geometry = WALGeometry(pageSize: pageSize)
        guard now.lastFrame < old.frame,
            let last = try file.frameHeader(old.frame, geometry: geometry), last.salts == old.salts,
            last.checksum == old.checksum,
            let next = try file.frameHeader(old.frame + 1, geometry: geometry), next.salts != old.salts
        else { return false }
        return true
    }
}
