/// Why a node, or something that was asked of it, cannot go on.
public enum NodeError: Error, Hashable, Sendable, CustomStringConvertible {
    /// This node is not, or not any more, the primary of that epoch: what it had not replicated may be lost.
    case superseded(String)
    /// The commit of another node is not on the chain, and will not come to be: a successor began without it.
    case neverShipped(Epoch)
    /// This node does not write.
    case notPrimary(Role)
    /// The time ran out; the commit is kept and shipped as soon as the store answers.
    case timedOut(String, Duration)
    /// The store cannot fence: in which words.
    case unfitStore(String)
    /// There is no database to begin with.
    case noDatabase(String)
    /// The database is not there yet, and cannot be restored.
    case noDatabaseYet
    /// The chain was not written by nodes of a cluster.
    case unmarkedChain(String)
    /// The chain begins behind this transaction, and the node of this name has not written its copy yet.
    case notBegunYet(behind: UInt64, by: String)
    /// The store on this host does not hold yet what another node has taken over at a transaction.
    case notTakenOverYet(at: UInt64, by: String)
    /// The store is not as it should be.
    case store(String)

    public var description: String {
        switch self {
        case .superseded(let why): "This node writes no more: \(why) Whether the commit was replicated is not known."
        case .neverShipped(let epoch): "The commit is not on the chain: epoch \(epoch) began without it."
        case .notPrimary(let role): "This node does not write: its role is \(role.rawValue)."
        case .timedOut(let what, let limit): "\(what) within \(limit)."
        case .unfitStore(let words): words
        case .noDatabase(let path):
            "\(path) does not exist: make it with 'sqlite-replicate init \(path)', or start this node as a standby."
        case .noDatabaseYet: "The database is not there yet, and the replica holds none."
        case .unmarkedChain(let store):
            "The newest file in \(store) was not written by a node of a cluster: begin one on the host that has the "
                + "database."
        case .notBegunYet(let number, let name):
            "The cluster begins behind transaction \(ChainPoint(number: number, checksum: 0)), and the copy that it begins "
                + "with is not there yet: start node \(name)."
        case .notTakenOverYet(let number, let name):
            "Node \(name) goes on from transaction \(ChainPoint(number: number, checksum: 0)), and its whole copy is not in "
                + "this host's store yet: until then this database stays as it is."
        case .store(let words): words
        }
    }
}
