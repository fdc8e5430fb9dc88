/// A tail as a listing tells of it.
public struct TailEntry: Hashable, Sendable {
    /// Whose it is; `nil` where it lies in this node's folder alone, and its manifest cannot be read.
    public let node: NodeID?
    /// Its name.
    public let id: TailID
    /// What is known of it; `nil` where no manifest could be read.
    public internal(set) var manifest: TailManifest?
    /// What is wrong with it in the store or in this node's folder, for people: no manifest, or a damaged one.
    public internal(set) var problem: String?
    /// Whether it lies in the store.
    public internal(set) var isStored: Bool
    /// Whether it lies in this node's metadata folder.
    public internal(set) var isLocal: Bool

    /// By what ``TailStore`` finds it, whatever other nodes have.
    public var reference: TailReference { TailReference(node: node, id: id) }

    /// The manifest.
    ///
    /// - Throws: ``TailError`` with code `damaged` where there is none to be read.
    func described() throws(TailError) -> TailManifest {
        guard let manifest else { throw TailError(.damaged, problem ?? "The tail \(reference) has no manifest.") }
        return manifest
    }

    /// Joins what two places tell of one tail: an acknowledgement in either counts.
    mutating func join(_ other: TailEntry) {
        (isStored, isLocal) = (isStored || other.isStored, isLocal || other.isLocal)
        problem = problem ?? other.problem
        guard let there = other.manifest else { return }
        manifest = manifest ?? there
        if manifest?.acknowledged == nil { manifest?.acknowledged = there.acknowledged }
    }
}
