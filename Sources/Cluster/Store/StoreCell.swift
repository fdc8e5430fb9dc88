import NIOCore
public import ObjectStorage

/// An object of a store as a ``LeaseCell``.
///
/// The store's own retries should be off, and its time limits below the lease's time to live. That it honours conditions
/// is for ``StoreProbe`` to find out.
public struct StoreCell: LeaseCell {
    /// Where it lies.
    public let store: any ObjectStore
    /// Under which key.
    public let key: String

    /// Takes a place.
    public init(_ store: any ObjectStore, key: String) { (self.store, self.key) = (store, key) }

    public var description: String { "'\(key)' in \(store)" }

    public func read() async throws(ObjectStoreError) -> (bytes: [UInt8], version: LeaseVersion?) {
        let (bytes, version) = try await store.getVersioned(key)
        return ([UInt8](buffer: bytes), version.map { LeaseVersion(rawValue: $0.rawValue) })
    }

    public func put(_ bytes: [UInt8], replacing version: LeaseVersion?) async throws(ObjectStoreError) -> LeaseVersion?
    {
        let condition = version.map { PutCondition.ifVersion(ObjectVersion(rawValue: $0.rawValue)) } ?? .ifAbsent
        let body = ObjectBody.bytes(ByteBuffer(bytes: bytes))
        let written = try await store.put(key, body, metadata: ObjectMetadata(), condition: condition)
        return written.map { LeaseVersion(rawValue: $0.rawValue) }
    }
}
