import NIOCore
import ObjectStorage
import Synchronization
import SystemPackage

/// A folder store that remembers which objects were read, in their order.
final class CountingStore: ObjectStore {
    private let store: FolderStore
    private let keys = Mutex<[String]>([])

    init(_ root: FilePath) { store = FolderStore(root: root) }

    /// The keys of all reads of level-0 files so far.
    var fileReads: [String] { keys.withLock { $0.filter { $0.contains("ltx/0/") } } }

    private func note(_ key: String) { keys.withLock { $0.append(key) } }

    var description: String { store.description }
    var honoursConditions: Bool? { store.honoursConditions }

    func list(prefix: String) async throws(ObjectStoreError) -> [ObjectInfo] { try await store.list(prefix: prefix) }

    func head(_ key: String) async throws(ObjectStoreError) -> ObjectInfo { try await store.head(key) }

    func get(_ key: String, range: Range<Int64>?) async throws(ObjectStoreError) -> ByteBuffer {
        note(key)
        return try await store.get(key, range: range)
    }

    func getVersioned(
        _ key: String
    ) async throws(ObjectStoreError) -> (bytes: ByteBuffer, version: ObjectVersion?) {
        note(key)
        return try await store.getVersioned(key)
    }

    func download(_ key: String, to file: FilePath) async throws(ObjectStoreError) -> Int64 {
        note(key)
        return try await store.download(key, to: file)
    }

    func put(
        _ key: String,
        _ body: ObjectBody,
        metadata: ObjectMetadata,
        condition: PutCondition
    ) async throws(ObjectStoreError) -> ObjectVersion? {
        try await store.put(key, body, metadata: metadata, condition: condition)
    }

    func delete(_ keys: [String]) async throws(ObjectStoreError) { try await store.delete(keys) }
}
