public import ObjectStorage

/// The lease in its place.
///
/// It repeats nothing and hides nothing: what an answer means is for ``NodeCore`` to decide (failover-review N14). May be
/// used from any task; a lease has one request under way at a time.
public struct LeaseStore: Sendable {
    /// Where it lies.
    public let cell: any LeaseCell

    /// Takes a place.
    public init(_ cell: any LeaseCell) { self.cell = cell }

    /// Takes the place in an object store. The store's own retries should be off, and its time limits below the lease's
    /// time to live.
    public init(_ store: any ObjectStore, layout: ClusterLayout) { self.init(StoreCell(store, key: layout.lease)) }

    /// Reads the lease.
    ///
    /// - Returns: What was read; what the store said where it did not answer.
    public func read() async -> (reading: LeaseReading, error: ObjectStoreError?) {
        do throws(ObjectStoreError) {
            let (bytes, version) = try await cell.read()
            guard let version else { return (.unfit("\(cell) has no version: a lease cannot be kept there."), nil) }
            do throws(ClusterObjectError) {
                return (.body(try Lease(parsing: bytes), version), nil)
            } catch {
                return (.unfit("\(error.message) Look at \(cell) before anything else is done."), nil)
            }
        } catch {
            return error.code == .notFound ? (.absent, nil) : (.failed, error)
        }
    }

    /// Puts a body in the place of a version; `nil`: where none is.
    ///
    /// - Returns: The answer; what the store said where it is unknown.
    public func swap(_ lease: Lease, condition: LeaseVersion?) async -> (answer: SwapAnswer, error: ObjectStoreError?) {
        do throws(ObjectStoreError) {
            // A place that tells no version has to be asked.
            return (try await cell.put(lease.encoded, replacing: condition).map { .swapped($0) } ?? .unknown, nil)
        } catch {
            return error.code == .conditionFailed ? (.refused, nil) : (.unknown, error)
        }
    }
}
