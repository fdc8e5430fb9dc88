import NIOCore
public import ObjectStorage
import Replication
import SystemPackage

/// The tails of all nodes: those in the store, `cluster/tails/NODE/ID/…`, and those in this node's metadata folder.
///
/// A tail in the store is complete once its manifest is there, which is written last. Tails are kept until somebody has
/// acknowledged them, and for ``shortestStay`` at least.
///
/// A value without state of its own; it may be used from any task. Local files are touched on threads that may block.
public struct TailStore: Sendable {
    /// Where the tails of all nodes lie.
    public let store: any ObjectStore
    /// Under which keys.
    public let layout: ClusterLayout
    /// Those of this node; `nil`: this host has no node.
    public let local: LocalTails?

    /// No tail goes earlier, acknowledged or not.
    public static let shortestStay: Duration = .seconds(30 * 86_400)

    /// Takes the places; nothing is asked of them yet.
    public init(_ store: any ObjectStore, layout: ClusterLayout, local: LocalTails? = nil) {
        (self.store, self.layout, self.local) = (store, layout, local)
    }

    func prefix(_ node: NodeID, _ id: TailID) -> String { "\(layout.tails(of: node))\(id)/" }

    func key(_ node: NodeID, _ id: TailID, _ name: String) -> String { prefix(node, id) + name }

    // MARK: - Looking

    /// All tails, by node, epoch and transaction.
    ///
    /// - Throws: ``TailError`` with code `storage`, `fileSystem` or `cancelled`. A tail that is damaged throws nothing: its
    ///   entry says so.
    public func list() async throws(TailError) -> [TailEntry] {
        var entries: [TailReference: TailEntry] = [:]
        for entry in try await storedEntries() { entries[entry.reference] = entry }
        for entry in try await localEntries() {
            // One whose manifest is damaged does not tell its node; the store may.
            let twins = entry.node == nil ? entries.keys.filter { $0.id == entry.id } : []
            entries[twins.count == 1 ? twins[0] : entry.reference, default: entry].join(entry)
        }
        return entries.values.sorted { $0.reference < $1.reference }
    }

    private func storedEntries() async throws(TailError) -> [TailEntry] {
        let prefix = layout.tails
        let objects = try await tailErrors("listing tails") { try await store.list(prefix: prefix) }
        var names: [TailReference: [ObjectInfo]] = [:]
        for object in objects {
            let parts = object.key.dropFirst(prefix.count).split(separator: "/", omittingEmptySubsequences: false)
            guard parts.count == 3, let node = NodeID(String(parts[0])), let id = TailID(String(parts[1])) else {
                continue
            }
            names[TailReference(node: node, id: id), default: []].append(object)
        }
        var entries: [TailEntry] = []
        for (reference, objects) in names {
            guard let node = reference.node else { continue }
            var entry = TailEntry(node: node, id: reference.id, isStored: true, isLocal: false)
            if let object = objects.first(where: { $0.key.hasSuffix("/\(TailManifest.name)") }) {
                do throws(TailError) {
                    entry.manifest = try await storedManifest(node, entry.id, byteCount: object.byteCount)
                } catch {
                    guard error.code == .damaged else { throw error }
                    entry.problem = error.message
                }
            } else {
                entry.problem = "The tail \(reference) in the store has no manifest: its upload has not ended."
            }
            entries.append(entry)
        }
        return entries
    }

    private func storedManifest(
        _ node: NodeID,
        _ id: TailID,
        byteCount: Int64
    ) async throws(TailError) -> TailManifest {
        let key = key(node, id, TailManifest.name)
        guard byteCount <= Int64(TailManifest.byteLimit) else {
            throw TailError(.damaged, "'\(key)' has \(byteCount) bytes: it is no manifest of a tail.")
        }
        return try await tailErrors("reading '\(key)'") {
            let manifest = try TailManifest(parsing: try await store.get(key, range: nil).readableBytesView)
            guard manifest.id == id, manifest.node == node else {
                let found = TailReference(node: manifest.node, id: manifest.id)
                throw TailError(.damaged, "'\(key)' is the manifest of the tail \(found), not of this one.")
            }
            return manifest
        }
    }

    private func localEntries() async throws(TailError) -> [TailEntry] {
        guard let local else { return [] }
        return try await tailErrors("listing the tails in \(local.folder)") {
            try await onDisk {
                try local.ids().map { id in
                    do throws(TailError) {
                        let manifest = try local.manifest(of: id)
                        let node = manifest?.node
                        return TailEntry(node: node, id: id, manifest: manifest, isStored: false, isLocal: true)
                    } catch {
                        guard error.code == .damaged else { throw error }
                        let problem = error.message
                        return TailEntry(node: nil, id: id, problem: problem, isStored: false, isLocal: true)
                    }
                }
            }
        }
    }

    /// The tail that is meant.
    ///
    /// - Throws: ``TailError`` with code `notFound` or `ambiguous`, or as ``list()``.
    public func entry(_ reference: TailReference) async throws(TailError) -> TailEntry {
        let found = try await list().filter {
            $0.id == reference.id && (reference.node == nil || reference.node == $0.node)
        }
        guard let entry = found.first else {
            throw TailError(.notFound, "There is no tail \(reference): `tail list` names those that there are.")
        }
        guard found.count == 1 else {
            let names = found.map { "\($0.reference)" }.joined(separator: ", ")
            throw TailError(.ambiguous, "\(found.count) nodes have a tail \(reference): say which, of \(names).")
        }
        return entry
    }

    /// What is known of a tail.
    ///
    /// - Throws: as ``entry(_:)``, or code `damaged`.
    public func show(_ reference: TailReference) async throws(TailError) -> TailManifest {
        try await entry(reference).described()
    }

    // MARK: - Storing

    /// Puts a local tail into the store, its manifest last; one that is there already is left as it is.
    ///
    /// An acknowledgement that only one of the two places knows is carried to the other.
    ///
    /// - Returns: The manifest, as both places have it now.
    /// - Throws: ``TailError``: `notFound` where there is no such local tail, `damaged` where another one lies there.
    @discardableResult
    public func upload(_ id: TailID) async throws(TailError) -> TailManifest {
        guard let local else { throw TailError(.notFound, "This host has no node, hence no tail \(id).") }
        return try await tailErrors("storing the tail \(id)") {
            guard var manifest = try await onDisk({ try local.manifest(of: id) }) else {
                throw TailError(.notFound, "There is no tail \(id) in \(local.folder).")
            }
            let key = key(manifest.node, id, TailManifest.name)
            if let size = try await byteCount(of: key) {
                let stored = try await storedManifest(manifest.node, id, byteCount: size)
                guard stored.tellsTheSame(as: manifest) else {
                    throw TailError(.damaged, "'\(key)' tells of other commits than \(local.folder(of: id)).")
                }
                if stored.acknowledged == manifest.acknowledged { return manifest }
                if let acknowledged = stored.acknowledged {
                    manifest.acknowledged = acknowledged
                    let acknowledgedManifest = manifest
                    try await onDisk { try local.write(acknowledgedManifest) }
                    return manifest
                }
            } else {
                for file in manifest.files {
                    let path = local.folder(of: id).appending(file.name)
                    _ = try await store.put(
                        self.key(manifest.node, id, file.name),
                        .file(path),
                        metadata: ObjectMetadata(),
                        condition: .none
                    )
                }
            }
            try await put(manifest)
            return manifest
        }
    }

    func put(_ manifest: TailManifest) async throws(ObjectStoreError) {
        let body = ObjectBody.bytes(ByteBuffer(bytes: manifest.encoded))
        let key = key(manifest.node, manifest.id, TailManifest.name)
        _ = try await store.put(key, body, metadata: ObjectMetadata(), condition: .none)
    }

    private func byteCount(of key: String) async throws(ObjectStoreError) -> Int64? {
        do throws(ObjectStoreError) { return try await store.head(key).byteCount } catch {
            guard error.code == .notFound else { throw error }
            return nil
        }
    }

    /// Stores all tails of this node that are not stored yet, and takes over what was acknowledged elsewhere.
    ///
    /// - Returns: Those that nobody has acknowledged.
    /// - Throws: ``TailError`` of the first tail that could not be stored; the others were tried as well.
    public func synchronize() async throws(TailError) -> [TailManifest] {
        guard let local else { return [] }
        let ids = try await tailErrors("listing the tails in \(local.folder)") { try await onDisk { try local.ids() } }
        var (open, failure): ([TailManifest], TailError?) = ([], nil)
        for id in ids {
            do throws(TailError) {
                let manifest = try await upload(id)
                if manifest.acknowledged == nil { open.append(manifest) }
            } catch {
                failure = failure ?? error
            }
        }
        if let failure { throw failure }
        return open
    }

    // MARK: - Letting go

    /// Notes that somebody has seen a tail and needs it no more, in the store and in this node's folder.
    ///
    /// One that was acknowledged before stays as it was acknowledged then.
    ///
    /// - Parameters:
    ///   - reference: The tail.
    ///   - person: Who.
    ///   - moment: When.
    /// - Returns: The manifest with its acknowledgement.
    /// - Throws: ``TailError``: as ``entry(_:)``, `invalid` for a name that is empty or has more than 200 characters.
    @discardableResult
    public func acknowledge(
        _ reference: TailReference,
        by person: String,
        at moment: Timestamp = .now
    ) async throws(TailError) -> TailManifest {
        guard !person.isEmpty, person.count <= 200 else {
            throw TailError(.invalid, "Say who acknowledges the tail \(reference), in up to 200 characters.")
        }
        let entry = try await entry(reference)
        var manifest = try entry.described()
        let before = manifest.acknowledged
        manifest.acknowledged = before ?? .init(at: moment, by: person)
        let acknowledged = manifest
        return try await tailErrors("acknowledging the tail \(reference)") {
            // Also where it was before: one of the two places may not know it. A manifest says that all files are there;
            // one that is not there yet is written by whoever ends the upload.
            let key = key(acknowledged.node, acknowledged.id, TailManifest.name)
            if entry.isStored, try await byteCount(of: key) != nil { try await put(acknowledged) }
            if entry.isLocal, let local { try await onDisk { try local.write(acknowledged) } }
            return acknowledged
        }
    }

    /// Removes the tails that were acknowledged and have been kept for ``shortestStay``, from the store and from this
    /// node's folder.
    ///
    /// - Parameter now: The present moment.
    /// - Returns: What was removed.
    /// - Throws: ``TailError``: `storage`, `fileSystem` or `cancelled`; the next call goes on from there.
    @discardableResult
    public func purge(_ now: Timestamp = .now) async throws(TailError) -> [TailReference] {
        var removed: [TailReference] = []
        for entry in try await list() {
            guard let manifest = entry.manifest, manifest.acknowledged != nil,
                now.duration(since: manifest.kept) >= Self.shortestStay
            else { continue }
            try await tailErrors("removing the tail \(entry.reference)") {
                if entry.isStored { try await removeStored(entry) }
                if entry.isLocal, let local { try await onDisk { try local.remove(entry.id) } }
            }
            removed.append(entry.reference)
        }
        return removed
    }

    /// The manifest goes last: until then the tail is listed, and removed again.
    private func removeStored(_ entry: TailEntry) async throws {
        guard let node = entry.node else { return }
        let prefix = prefix(node, entry.id)
        let manifest = prefix + TailManifest.name
        let keys = try await store.list(prefix: prefix).map(\.key).filter { $0 != manifest }
        if !keys.isEmpty { try await store.delete(keys) }
        try await store.delete([manifest])
    }
}
