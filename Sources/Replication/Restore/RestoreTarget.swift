public import LTX
public import ObjectStorage

/// The state that a restore is to lead to.
public enum RestoreTarget: Hashable, Sendable {
    /// The newest state in the replica.
    case latest
    /// The state after exactly this transaction.
    case transaction(TransactionID)
    /// The newest state whose files are all dated strictly before this moment.
    case timestamp(Timestamp)

    /// Whether a file may be a part of the way to the target.
    func allows(_ file: ReplicaFile) -> Bool {
        switch self {
        case .latest: true
        case .transaction(let transaction): file.max <= transaction
        case .timestamp(let moment): file.created < moment
        }
    }
}
