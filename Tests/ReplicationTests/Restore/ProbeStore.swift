import NIOCore
import ObjectStorage
import Synchronization
import SystemPackage

/// A folder store seen as a distant one: it has no local files, counts requests, keeps metadata apart from its listing,
/// and lets a test act before each request.
final class ProbeStore: ObjectStore {
    enum Request: Hashable, Sendable {
        case list(String)
        case head(String)
        case get(String, Range<Int64>?)
        case put(String)
        case delete([String])
    }

    private let store: FolderStore
    private let state = Mutex<[Request]>([])
    /// Called before each request; what it throws is the answer.
    private let before: @Sendable (Request) async throws(ObjectStoreError) -> Void
    /// What listings show as the time of every object; `nil`: the object's own.
    private let listedTime: Timestamp?
    /// Whether a put looks at its condition; where it does not, `before` acts once the object is there.
    let honoursConditions: Bool?

    init(
        _ root: FilePath,
        listedTime: Timestamp? = nil,
        honoursConditions: Bool = true,
        before: @escaping @Sendable (Request) async throws(ObjectStoreError) -> Void = { (_) throws(ObjectStoreError) in
        }
    ) {
        store = FolderStore(root: root)
        (self.before, self.listedTime, self.honoursConditions) = (before, listedTime, honoursConditions)
    }

    /// The requests so far.
    var requests: [Request] { state.withLock { $0 } }

    /// How many requests satisfy a condition.
    func count(_ condition: (Request) -> Bool) -> Int { requests.count(where: condition) }

    var description: String { "probe of \(store)" }

    private func note(_ request: Request) async throws(ObjectStoreError) {
        state.withLock { $0.append(request) }
        try await before(request)
    }

    func list(prefix: String) async throws(ObjectStoreError) -> [ObjectInfo] {
        try await note(.list(prefix))
        return try await store.list(prefix: prefix).map { object in
            var object = object
            if let listedTime { object.modified = listedTime }
            return object
        }
    }

    func head(_ key: String) async throws(ObjectStoreError) -> ObjectInfo {
        try await note(.head(key))
        var object = try await store.head(key)
        object.metadata.timestamp = object.modified
        return object
    }

    func get(_ key: String, range: Range<Int64>?) async throws(ObjectStoreError) -> ByteBuffer {
        try await note(.get(key, range))
        return try await store.get(key, range: range)
    }

    func getVersioned(_ key: String) async throws(ObjectStoreError) -> (bytes: ByteBuffer, version: ObjectVersion?) {
        try await note(.get(key, nil))
        return try await store.getVersioned(key)
    }

    func download(_ key: String, to file: FilePath) async throws(ObjectStoreError) -> Int64 {
        try await note(.get(key, nil))
        return try await store.download(key, to: file)
    }

    func put(
        _ key: String,
        _ body: ObjectBody,
        metadata: ObjectMetadata,
        condition: PutCondition
    ) async throws(ObjectStoreError) -> ObjectVersion? {
        guard honoursConditions == false else {
            try await note(.put(key))
            return try await store.put(key, body, metadata: metadata, condition: condition)
        }
        let version = try await store.put(key, body, metadata: metadata, condition: .none)
        try await note(.put(key))
        return version
    }

    func delete(_ keys: [String]) async throws(ObjectStoreError) {
        try await note(.delete(keys))
        try await store.delete(keys)
    }
}
