import LTX

/// What a listing, and the headers of its files, tell of the replica as a whole.
enum ChainFindings {
    /// Compares files with each other.
    ///
    /// - Parameters:
    ///   - listing: All files.
    ///   - whole: Those that were found whole, in the order of the listing.
    static func findings(
        in listing: ReplicaListing,
        whole: [(file: ReplicaFile, summary: LTXFileSummary)]
    ) -> [VerificationFinding] {
        reach(of: listing, whole: whole.map(\.file)) + levels(of: listing) + pageSizes(of: whole) + marks(of: whole)
            + times(of: whole)
    }

    /// Whether the newest state can be restored, with all files and with those that are whole.
    private static func reach(of listing: ReplicaListing, whole: [ReplicaFile]) -> [VerificationFinding] {
        guard let highest = listing.highest else {
            return [VerificationFinding(.warning, "The replica holds no transaction file.")]
        }
        var findings: [VerificationFinding] = []
        let missing = listing.missing
        if !missing.isEmpty {
            let text = "No file holds transactions \(missing.words): what lies beyond cannot be restored."
            findings.append(VerificationFinding(.error, text))
        } else if RestorableStates(whole).reach < highest.rawValue {
            let reach = RestorableStates(whole).reach
            let text = reach == 0 ? "no state" : "transaction \(TransactionID(rawValue: reach)) at most"
            findings.append(
                VerificationFinding(.error, "With the files that are whole \(text) can be restored, not \(highest).")
            )
        }
        return findings
    }

    /// Whether the files of a level follow each other; snapshots overlap by nature.
    private static func levels(of listing: ReplicaListing) -> [VerificationFinding] {
        var findings: [VerificationFinding] = []
        for level in 0..<ReplicaLayout.snapshotLevel {
            var last: ReplicaFile?
            for file in listing[level] {
                if let last, file.min.rawValue - 1 > last.max.rawValue {
                    let gap = last.max.next...TransactionID(rawValue: file.min.rawValue - 1)
                    let text = "Level \(level) lacks \([gap].words), before '\(file.key)'."
                    findings.append(VerificationFinding(.warning, file: file, text))
                } else if let last, file.min <= last.max {
                    let text = "'\(file.key)' overlaps '\(last.key)' at level \(level)."
                    findings.append(VerificationFinding(.warning, file: file, text))
                }
                if file.max > last?.max ?? TransactionID.first || last == nil { last = file }
            }
        }
        return findings
    }

    private static func pageSizes(of whole: [(file: ReplicaFile, summary: LTXFileSummary)]) -> [VerificationFinding] {
        guard let newest = whole.max(by: { $0.file.max < $1.file.max }) else { return [] }
        let size = newest.summary.header.pageSize
        return whole.filter { $0.summary.header.pageSize != size }.map { file, summary in
            let text = "'\(file.key)' has pages of \(summary.header.pageSize) bytes, the newest file has \(size)."
            return VerificationFinding(.error, file: file, text)
        }
    }

    /// Whether files that lead to the same transaction name the same database.
    private static func marks(of whole: [(file: ReplicaFile, summary: LTXFileSummary)]) -> [VerificationFinding] {
        var findings: [VerificationFinding] = []
        var known: [TransactionID: (mark: SourceMark, file: ReplicaFile)] = [:]
        for (file, summary) in whole {
            guard let mark = summary.header.sourceMark else { continue }
            if let other = known[file.max], other.mark.checksum != mark.checksum {
                let text =
                    "'\(file.key)' and '\(other.file.key)' lead to transaction \(file.max), but name two databases:"
                findings.append(VerificationFinding(.error, file: file, "\(text) histories are mixed."))
            } else {
                known[file.max] = (mark, file)
            }
        }
        return findings
    }

    /// Whether times ascend with transactions: restores by time depend on it.
    private static func times(of whole: [(file: ReplicaFile, summary: LTXFileSummary)]) -> [VerificationFinding] {
        var last: (file: ReplicaFile, summary: LTXFileSummary)?
        for next in whole where next.file.level == 0 {
            if let last, next.summary.header.timestampMilliseconds < last.summary.header.timestampMilliseconds {
                let text = "'\(next.file.key)' is dated before '\(last.file.key)': a clock went back."
                return [VerificationFinding(.note, file: next.file, text)]
            }
            last = next
        }
        return []
    }
}
