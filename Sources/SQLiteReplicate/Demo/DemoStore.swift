import Cluster
import NIOCore
import ObjectStorage
import SystemPackage

/// A folder store that is away while something is broken.
struct DemoStore: ObjectStore {
    let store: FolderStore
    let faults: DemoFaults
    /// Any of these takes it away.
    let needs: [DemoFaults.Fault]

    var description: String { store.description }
    var honoursConditions: Bool? { store.honoursConditions }

    private func reach() throws(ObjectStoreError) {
        guard needs.contains(where: { faults.isAway($0) }) else { return }
        throw ObjectStoreError(.unreachable, "\(store) is away in this demonstration.")
    }

    func list(prefix: String) async throws(ObjectStoreError) -> [ObjectInfo] {
        try reach()
        return try await store.list(prefix: prefix)
    }

    func head(_ key: String) async throws(ObjectStoreError) -> ObjectInfo {
        try reach()
        return try await store.head(key)
    }

    func get(_ key: String, range: Range<Int64>?) async throws(ObjectStoreError) -> ByteBuffer {
        try reach()
        return try await store.get(key, range: range)
    }

    func getVersioned(
        _ key: String
    ) async throws(ObjectStoreError) -> (bytes: ByteBuffer, version: ObjectVersion?) {
        try reach()
        return try await store.getVersioned(key)
    }

    func download(_ key: String, to file: FilePath) async throws(ObjectStoreError) -> Int64 {
        try reach()
        return try await store.download(key, to: file)
    }

    func put(
        _ key: String,
        _ body: ObjectBody,
        metadata: ObjectMetadata,
        condition: PutCondition
    ) async throws(ObjectStoreError) -> ObjectVersion? {
        try reach()
        return try await store.put(key, body, metadata: metadata, condition: condition)
    }

    func delete(_ keys: [String]) async throws(ObjectStoreError) {
        try reach()
        try await store.delete(keys)
    }
}

/// A witness in a folder.
struct DemoWitness: Witness {
    let store: DemoStore

    var description: String { "the witness in \(store)" }

    func cell(of cluster: ClusterID) -> any LeaseCell {
        StoreCell(store, key: ClusterLayout(path: "").cell(of: cluster))
    }
}

/// The other host's node, as far as the link lets it be heard.
struct DemoPeers: PeerMessaging {
    let client: NodeClient
    let faults: DemoFaults

    func askPromise(
        of node: NodeID,
        at url: String,
        _ request: PromiseRequest,
        within limit: Duration
    ) async -> Bool {
        guard !faults.isAway(.link) else { return false }
        return await client.askPromise(of: node, at: url, request, within: limit)
    }

    func hint(_ url: String) async { if !faults.isAway(.link) { await client.hint(url) } }
}
