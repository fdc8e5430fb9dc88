public import LTX
import ObjectStorage

/// The files to read for a restore, chosen from a listing.
///
/// Where several chains of files lead to the target, the one with the fewest bytes to read is taken; all of them lead
/// to the same state. What lies in the replica and is not needed is not read.
public struct RestorePlan: Hashable, Sendable {
    /// What the plan leads to.
    public let target: RestoreTarget
    /// The files to merge, oldest first; the first begins at transaction 1.
    public let files: [ReplicaFile]
    /// The transaction whose state the plan leads to.
    public let max: TransactionID

    /// Bytes to read.
    public var byteCount: Int64 { files.reduce(0) { $0 + $1.byteCount } }

    /// Chooses files.
    ///
    /// - Parameters:
    ///   - listing: All levels. For a target in time the files' ``ReplicaFile/created`` must be the times in their
    ///     headers; ``Replica/withTimestamps(_:around:)`` asks a bucket for them.
    ///   - target: Where to.
    /// - Throws: ``ReplicaError`` with the code
    ///   - `noBackup` where no file begins at transaction 1;
    ///   - `hole` where files lie beyond transactions that no file carries;
    ///   - `notRestorable` where no chain ends at the transaction asked for;
    ///   - `tooEarly` where no state is older than the moment asked for;
    ///   - `damaged` where every chain needs a file that is too short to be whole.
    public init(listing: ReplicaListing, target: RestoreTarget) throws(ReplicaError) {
        let states = RestorableStates(listing.files.filter(target.allows))
        var end = states.reach
        switch target {
        case .latest:
            guard let highest = listing.highest else { throw .emptyReplica() }
            guard end == highest.rawValue else { throw .hole(in: listing, reach: end, target: target) }
        case .transaction(let transaction):
            guard let highest = listing.highest else { throw .emptyReplica() }
            end = transaction.rawValue
            guard states.chain(to: end) != nil else {
                throw .notRestorable(transaction, in: listing, highest: highest)
            }
        case .timestamp(let moment):
            // Older files may be gone into merged ones that are too new; that is no hole. What no file carries is.
            let reach = listing.highestContiguous?.rawValue ?? 0
            guard !listing.isEmpty else { throw .emptyReplica() }
            if let stray = listing.files.first(where: { target.allows($0) && $0.min.rawValue - 1 > reach }) {
                throw .hole(in: listing, reach: reach, target: target, before: stray)
            }
            guard end > 0 else { throw .tooEarly(moment, in: listing) }
        }
        guard let files = states.chain(to: end), let last = files.last else { throw .emptyReplica() }
        if let short = files.first(where: \.isTooShort) {
            throw .damaged(short, "has \(short.byteCount) bytes and cannot be a whole transaction file")
        }
        (self.target, self.files, self.max) = (target, files, last.max)
    }
}

extension ReplicaError {
    fileprivate static func emptyReplica() -> Self {
        Self(.noBackup, "No backup: the replica holds no transaction file. Check its path and prefix.")
    }

    fileprivate static func hole(
        in listing: ReplicaListing,
        reach: UInt64,
        target: RestoreTarget,
        before stray: ReplicaFile? = nil
    ) -> Self {
        let missing = TransactionCoverage(listing.files.map(\.range)).gaps(above: reach)
        guard reach > 0 else {
            let first = listing.files.lazy.map(\.min).min().map { "\($0)" } ?? "none"
            let text = "No backup to begin with: the replica's first transaction is \(first), and none of its files"
            return Self(.noBackup, text + " begins at transaction 1.", missing: missing)
        }
        let text = "Transactions are missing in the replica: \(missing.words). A restore to transaction"
        return Self(.hole, text + " \(TransactionID(rawValue: reach)) or an earlier one is possible.", missing: missing)
    }

    fileprivate static func notRestorable(
        _ transaction: TransactionID,
        in listing: ReplicaListing,
        highest: TransactionID
    ) -> Self {
        let states = RestorableStates(listing.files)
        guard states.reach > 0 else { return .hole(in: listing, reach: 0, target: .transaction(transaction)) }
        let missing = TransactionCoverage(listing.files.map(\.range)).gaps(above: states.reach)
        var text = "Transaction \(transaction) cannot be restored: "
        if transaction > highest {
            text += "the replica's newest is \(highest)."
        } else if transaction.rawValue > states.reach {
            text += "the replica lacks \(missing.words)."
        } else {
            text += "it was merged with others."
        }
        let (below, above) = states.neighbours(of: transaction)
        let nearest = [below, above].compactMap { $0.map { "\($0)" } }
        if !nearest.isEmpty { text += " Nearest that can be: \(nearest.joined(separator: " and "))." }
        return Self(.notRestorable, text, missing: transaction.rawValue > states.reach ? missing : [])
    }

    fileprivate static func tooEarly(_ moment: Timestamp, in listing: ReplicaListing) -> Self {
        guard let first = RestorableStates(listing.files).firstFile() else {
            return .hole(in: listing, reach: 0, target: .timestamp(moment))
        }
        let text = "No state before \(moment.text) is in the replica: the first is of \(first.created.text)"
        return Self(.tooEarly, text + " (transaction \(first.max)).")
    }
}
