import LTX

/// What the engine of a cluster's node writes down of a capture that is not closed (failover-review N9).
///
/// While the store takes nothing a capture stays open for long, over many generations of the log (capture-review H1).
/// Elsewhere a process that dies meanwhile costs a difference. A node must prove more: that its database goes on from its
/// newest file, and was not put back by somebody; else it keeps the whole of it aside.
extension CaptureEngine {
    /// Writes down up to where the log is captured, where the record of the newest file would not prove it any more: the log
    /// has begun anew since, or may at any moment.
    ///
    /// Not synced, as the record is not; where it cannot be written only that proof is missing.
    func noteFollowed() {
        guard settings.epoch > 0, !hasNothingOpen, copy == nil, copyDue == nil, !proves(followed), !proves(recorded),
            let record = record(at: position, size: databaseSize),
            (try? Disk.overwrite(folder.followedFile, with: record.encoded(), mode: folder.fileMode)) != nil
        else { return }
        followed = (record.transaction, record.position)
    }

    /// Whether what was written down leads on from the newest file to what is captured.
    private func proves(_ known: (transaction: TransactionID, position: WALPosition)?) -> Bool {
        guard let known, known.transaction == lastTransaction else { return false }
        // The end of a generation is what the next one is known to begin behind.
        return mayRestart ? known.position == position : known.position.salts == position.salts
    }
}
