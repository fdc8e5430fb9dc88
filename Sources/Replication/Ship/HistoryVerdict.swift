package import LTX
import ObjectStorage

/// Whether a replica's newest file is this database's own history (capture-review H3, H4, R-14). A pure decision.
package enum HistoryVerdict: Equatable, Sendable {
    /// All is ours; files above the transaction are to be uploaded, 0 for all.
    case ours(shippedThrough: UInt64)
    /// The replica has our newest file, and some before it are missing there: they are uploaded again.
    case ourHole(missing: [TransactionID], shippedThrough: UInt64)
    /// A whole copy above `highest` begins a new history: because of the cause.
    case startAnew(above: UInt64, cause: Discontinuity.Cause, detail: String)
    /// Look again in a moment: only a second look tells whether somebody else is writing.
    case lookAgain

    /// What is known of the local side.
    package struct Local: Sendable {
        /// The newest local transaction.
        package var newest: TransactionID?
        /// The transactions that have a local file.
        package var files: Set<TransactionID>
        /// The database's checksum at the newest one, where it is known.
        package var checksum: UInt64?

        package init(newest: TransactionID?, files: Set<TransactionID>, checksum: UInt64?) {
            (self.newest, self.files, self.checksum) = (newest, files, checksum)
        }
    }

    /// How the replica's newest level-0 file compares with the local file of the same transaction.
    package enum Comparison: Sendable {
        case equal, different
        /// There is no such local file; the replica's file tells this checksum of the database, if any.
        case noLocalFile(mark: UInt64?)
    }

    /// Decides.
    ///
    /// - Parameters:
    ///   - listing: All levels of the replica.
    ///   - local: What is here.
    ///   - comparison: For the newest level-0 file; `nil` where level 0 is empty.
    ///   - isSecondLook: Whether the listing is the same as one some seconds ago.
    package static func decide(
        listing: ReplicaListing,
        local: Local,
        comparison: Comparison?,
        isSecondLook: Bool
    ) -> HistoryVerdict {
        let newest = local.newest?.rawValue ?? 0
        guard let highest = listing.highest?.rawValue else {
            // An empty replica takes everything, if everything is still here.
            guard newest == 0 || (1...newest).allSatisfy({ local.files.contains(TransactionID(rawValue: $0)) }) else {
                return .startAnew(above: 0, cause: .localFilesLost, detail: "the replica is empty")
            }
            return .ours(shippedThrough: 0)
        }
        let top = listing.highest(level: 0)?.rawValue ?? 0
        func anew(_ cause: Discontinuity.Cause, _ detail: String) -> HistoryVerdict {
            isSecondLook ? .startAnew(above: highest, cause: cause, detail: detail) : .lookAgain
        }
        switch comparison {
        case .equal? where top == highest:
            return ours(listing: listing, local: local, highest: highest)
        case .equal?:
            return anew(.storeAhead, "level 0 ends at \(top), other levels at \(highest)")
        case .noLocalFile(let mark?)? where top == newest && top == highest && mark == local.checksum:
            return ours(listing: listing, local: local, highest: highest)
        case .noLocalFile? where highest > newest:
            return anew(.storeAhead, "the replica ends at \(highest), the local files at \(newest)")
        case .different?: return anew(.foreignHistory, "transaction \(top) is another one there")
        default: return anew(.foreignHistory, "transaction \(highest) of the replica is not known here")
        }
    }

    /// The newest file is ours; whether something before it is missing.
    private static func ours(listing: ReplicaListing, local: Local, highest: UInt64) -> HistoryVerdict {
        let gaps = listing.missing
        guard !gaps.isEmpty else { return .ours(shippedThrough: highest) }
        // What lies before a snapshot is history that nobody needs to reach the newest state.
        let base = listing[ReplicaLayout.snapshotLevel].map(\.max.rawValue).max() ?? 0
        let missing = gaps.filter { $0.upperBound.rawValue > base }.flatMap { gap in
            (gap.lowerBound.rawValue...gap.upperBound.rawValue).prefix(100_000).compactMap(TransactionID.init(exactly:))
        }
        guard !missing.isEmpty else { return .ours(shippedThrough: highest) }
        guard missing.allSatisfy(local.files.contains) else {
            return .startAnew(
                above: highest,
                cause: .localFilesLost,
                detail: "transactions from \(missing[0]) on are missing in the replica and here"
            )
        }
        return .ourHole(missing: missing, shippedThrough: highest)
    }
}
