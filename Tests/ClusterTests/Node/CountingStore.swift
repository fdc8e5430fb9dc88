import NIOCore
import ObjectStorage
import Synchronization
import SystemPackage

/// A folder store that remembers which objects were read, in their order. It takes nothing, or does not answer, where it is
/// told so.
final class CountingStore: ObjectStore {
    private let store: FolderStore
    private let keys = Mutex<[String]>([])
    private let refused = Mutex<String?>(nil)
    private let away = Mutex(false)
    private let onPut: @Sendable (String, ObjectBody) -> Void

    /// - Parameter onPut: Told of each object before it is written.
    init(_ root: FilePath, onPut: @escaping @Sendable (String, ObjectBody) -> Void = { _, _ in }) {
        (store, self.onPut) = (FolderStore(root: root), onPut)
    }

    /// The keys of all reads of level-0 files so far.
    var fileReads: [String] { keys.withLock { $0.filter { $0.contains("ltx/0/") } } }

    /// From now on no object is written with these words in its key; `nil`: all are.
    func refuse(_ words: String?) { refused.withLock { $0 = words } }

    /// Whether it does not answer.
    var isAway: Bool {
        get { away.withLock { $0 } }
        set { away.withLock { $0 = newValue } }
    }

    private func note(_ key: String) throws(ObjectStoreError) {
        keys.withLock { $0.append(key) }
        try answer(key)
    }

    private func answer(_ key: String) throws(ObjectStoreError) {
        if isAway { throw ObjectStoreError(.unreachable, "'\(key)': the store does not answer.") }
    }

    var description: String { store.description }
    var honoursConditions: Bool? { store.honoursConditions }

    func list(prefix: String) async throws(ObjectStoreError) -> [ObjectInfo] {
        try answer(prefix)
        return try await store.list(prefix: prefix)
    }

    func head(_ key: String) async throws(ObjectStoreError) -> ObjectInfo {
        try answer(key)
        return try await store.head(key)
    }

    func get(_ key: String, range: Range<Int64>?) async throws(ObjectStoreError) -> ByteBuffer {
        try note(key)
        return try await store.get(key, range: range)
    }

    func getVersioned(
        _ key: String
    ) async throws(ObjectStoreError) -> (bytes: ByteBuffer, version: ObjectVersion?) {
        try note(key)
        return try await store.getVersioned(key)
    }

    func download(_ key: String, to file: FilePath) async throws(ObjectStoreError) -> Int64 {
        try note(key)
        return try await store.download(key, to: file)
    }

    func put(
        _ key: String,
        _ body: ObjectBody,
        metadata: ObjectMetadata,
        condition: PutCondition
    ) async throws(ObjectStoreError) -> ObjectVersion? {
        try answer(key)
        if let words = refused.withLock({ $0 }), key.contains(words) {
            throw ObjectStoreError(.serverFailure, "Writing '\(key)': the store takes nothing.")
        }
        onPut(key, body)
        return try await store.put(key, body, metadata: metadata, condition: condition)
    }

    func delete(_ keys: [String]) async throws(ObjectStoreError) {
        try answer(keys.first ?? "")
        try await store.delete(keys)
    }
}
