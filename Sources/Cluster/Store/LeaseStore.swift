import NIOCore
public import ObjectStorage

/// The lease in an object store.
///
/// It repeats nothing and hides nothing: what an answer means is for ``NodeCore`` to decide (failover-review N14). May be
/// used from any task; a lease has one request under way at a time.
public struct LeaseStore: Sendable {
    /// Where it lies.
    public let store: any ObjectStore
    /// Under which key.
    public let key: String

    /// Takes a place. The store's own retries should be off, and its time limits below the lease's time to live.
    public init(_ store: any ObjectStore, layout: ClusterLayout) { (self.store, key) = (store, layout.lease) }

    /// Reads the lease.
    ///
    /// - Returns: What was read; what the store said where it did not answer.
    public func read() async -> (reading: LeaseReading, error: ObjectStoreError?) {
        do throws(ObjectStoreError) {
            let (bytes, version) = try await store.getVersioned(key)
            guard let version else {
                return (.unfit("\(store) gives no versions: it cannot hold a lease."), nil)
            }
            do throws(ClusterObjectError) {
                let lease = try Lease(parsing: bytes.readableBytesView)
                return (.body(lease, LeaseVersion(rawValue: version.rawValue)), nil)
            } catch {
                return (.unfit("\(error.message) Look at '\(key)' in \(store) before anything else is done."), nil)
            }
        } catch {
            return error.code == .notFound ? (.absent, nil) : (.failed, error)
        }
    }

    /// Puts a body in the place of a version; `nil`: where none is.
    ///
    /// - Returns: The answer; what the store said where it is unknown.
    public func swap(_ lease: Lease, condition: LeaseVersion?) async -> (answer: SwapAnswer, error: ObjectStoreError?) {
        let body = ObjectBody.bytes(ByteBuffer(bytes: lease.encoded))
        let condition = condition.map { PutCondition.ifVersion(ObjectVersion(rawValue: $0.rawValue)) } ?? .ifAbsent
        do throws(ObjectStoreError) {
            let version = try await store.put(key, body, metadata: ObjectMetadata(), condition: condition)
            // A store that tells no version has to be asked.
            return (version.map { .swapped(LeaseVersion(rawValue: $0.rawValue)) } ?? .unknown, nil)
        } catch {
            return error.code == .conditionFailed ? (.refused, nil) : (.unknown, error)
        }
    }
}
