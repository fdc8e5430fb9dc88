public import NIOCore
public import SystemPackage

/// A place that keeps whole objects under keys: a folder, or a bucket behind the S3 protocol.
///
/// A key is a path of `/`-separated components, UTF-8, without a leading slash unless the configuration asks for one.
/// Objects are replaced whole or not at all: a reader sees the old bytes or the new ones, never a mixture, and a `put`
/// that returned is durable at the store.
///
/// Every method may be called from any task, several at a time. Cancelling the task abandons the request; whether a
/// cancelled `put` or `delete` took effect is then unknown.
public protocol ObjectStore: Sendable, CustomStringConvertible {
    /// All objects whose key starts with `prefix`, in ascending byte order of the keys.
    ///
    /// A prefix under which nothing lies gives an empty array, also in a folder that does not exist.
    func list(prefix: String) async throws(ObjectStoreError) -> [ObjectInfo]

    /// What the store knows of one object, its metadata included.
    ///
    /// - Throws: ``ObjectStoreError`` with code ``ObjectStoreError/Code/notFound`` where there is none.
    func head(_ key: String) async throws(ObjectStoreError) -> ObjectInfo

    /// Bytes of one object: `range`, or all of them.
    ///
    /// The answer has exactly the bytes asked for: an answer that ends early is resumed at the right byte, and if it
    /// cannot be completed, or the object is shorter than `range`, this throws.
    ///
    /// - Parameter range: Byte offsets from the object's start, not empty; `nil` for the whole object.
    /// - Throws: code `notFound`, or `truncated` where the object ends before `range` does.
    func get(_ key: String, range: Range<Int64>?) async throws(ObjectStoreError) -> ByteBuffer

    /// All bytes of a small object, and the version that has just these bytes; for a later compare-and-swap.
    ///
    /// - Returns: The version is `nil` where the store gives none.
    /// - Throws: code `notFound`, or `invalidRequest` for an object of over 1 MiB.
    func getVersioned(_ key: String) async throws(ObjectStoreError) -> (bytes: ByteBuffer, version: ObjectVersion?)

    /// Copies a whole object into a new file, with bounded memory, and syncs it.
    ///
    /// - Parameter file: Created, or replaced; removed again if this throws.
    /// - Returns: The number of bytes written.
    func download(_ key: String, to file: FilePath) async throws(ObjectStoreError) -> Int64

    /// Stores an object.
    ///
    /// - Parameters:
    ///   - key: Where.
    ///   - body: The bytes, from memory or from a file.
    ///   - metadata: Kept with the object where the store can.
    ///   - condition: What must hold at the store for the object to be written.
    /// - Returns: The new version, for a later ``PutCondition/ifVersion(_:)``; `nil` where the store gives none.
    /// - Throws: code `conditionFailed` when `condition` did not hold; nothing was written then. A conditional put is
    ///   sent once and never repeated here: with code `outcomeUnknown` it may or may not have taken effect.
    @discardableResult
    func put(
        _ key: String,
        _ body: ObjectBody,
        metadata: ObjectMetadata,
        condition: PutCondition
    ) async throws(ObjectStoreError) -> ObjectVersion?

    /// Deletes objects; a key under which nothing lies is no error.
    func delete(_ keys: [String]) async throws(ObjectStoreError)

    /// Whether this store is known to refuse a put whose condition does not hold.
    ///
    /// `nil`: not known before it is tried (many S3 servers ignore the condition and overwrite).
    var honoursConditions: Bool? { get }

    /// The file that holds the object, where objects are plain files of this host; it must only be read.
    ///
    /// A fast path for merging: no copy is made. It answers for any key, whether or not the object exists.
    func localFile(_ key: String) -> FilePath?

    /// Where to make a file that is to be put as ``ObjectBody/temporary(_:)``, so that the store need not copy it.
    ///
    /// - Returns: A new name in a folder that is there, which no listing shows; `nil` where any place is as good.
    func placeForTemporary(_ key: String) async throws(ObjectStoreError) -> FilePath?
}

extension ObjectStore {
    public func localFile(_ key: String) -> FilePath? { nil }
    public func placeForTemporary(_ key: String) async throws(ObjectStoreError) -> FilePath? { nil }
}

/// One object of a listing.
public struct ObjectInfo: Hashable, Sendable {
    /// The object's key.
    public var key: String
    /// Its size in bytes.
    public var byteCount: Int64
    /// When it was last written as the store tells it, in UTC: a file's modification time, or S3's `LastModified`.
    public var modified: Timestamp
    /// Its version, where the store gives one.
    public var version: ObjectVersion?
    /// Its own metadata; empty in listings, filled by ``ObjectStore/head(_:)``.
    public var metadata: ObjectMetadata

    /// Creates a description of an object.
    public init(
        key: String,
        byteCount: Int64,
        modified: Timestamp,
        version: ObjectVersion? = nil,
        metadata: ObjectMetadata = ObjectMetadata()
    ) {
        (self.key, self.byteCount, self.modified) = (key, byteCount, modified)
        (self.version, self.metadata) = (version, metadata)
    }
}

/// What is kept beside an object's bytes.
public struct ObjectMetadata: Hashable, Sendable {
    /// The time that the object's content stands for.
    ///
    /// A folder keeps it as the file's modification time, S3 as `x-amz-meta-litestream-timestamp`, as Litestream does.
    public var timestamp: Timestamp?

    /// Creates metadata.
    public init(timestamp: Timestamp? = nil) { self.timestamp = timestamp }
}

/// The bytes of an object to be stored.
public enum ObjectBody: Sendable {
    /// Bytes in memory.
    case bytes(ByteBuffer)
    /// The whole of a file, which must not change meanwhile.
    case file(FilePath)
    /// The same for a file that nobody needs any more: the store may take it instead of copying it.
    ///
    /// Whether it is still there afterwards, and after an error, is not said.
    case temporary(FilePath)
}

/// What must hold at the store for a put to be carried out.
public enum PutCondition: Hashable, Sendable {
    /// Nothing: an existing object is replaced.
    case none
    /// No object lies under the key (`If-None-Match: *`).
    case ifAbsent
    /// The object under the key has this version (`If-Match`).
    case ifVersion(ObjectVersion)
}

/// A version of an object: S3's entity tag, or what a folder keeps in its place. Opaque.
public struct ObjectVersion: RawRepresentable, Hashable, Sendable {
    /// The store's own text.
    public let rawValue: String

    /// Takes the store's own text.
    public init(rawValue: String) { self.rawValue = rawValue }
}
