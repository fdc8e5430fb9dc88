import NIOCore
public import ObjectStorage

/// What a store tells of a cluster, as it was read at one time: the lease, the last epochs, and what each node says.
public struct ClusterSurvey: Sendable {
    /// What lies where the lease should.
    public enum LeaseFinding: Hashable, Sendable {
        case body(Lease)
        /// There is none.
        case absent
        /// It is none of ours: why.
        case unfit(String)
    }

    /// A record, and when it was written by the store's clock.
    public struct Dated<Record: Hashable & Sendable>: Hashable, Sendable {
        public var record: Record
        public var written: Timestamp
    }

    /// The lease.
    public let lease: LeaseFinding
    /// The last epochs, the newest first.
    public let epochs: [Dated<EpochRecord>]
    /// The highest epoch that has a record; 0 where none has.
    public let highestEpoch: Epoch
    /// What the nodes say, by name.
    public let nodes: [Dated<NodeRecord>]
    /// Whether anything of a cluster lies there, the lease left aside.
    public let hasTraces: Bool
    /// Records that could not be read: why.
    public let problems: [String]

    /// Reads all of it; a few requests, and one for each record.
    ///
    /// - Parameters:
    ///   - store: Where the cluster's objects lie.
    ///   - layout: Under which keys.
    ///   - epochLimit: How many epochs to read.
    /// - Throws: ``ObjectStorage/ObjectStoreError`` where the store does not answer.
    public init(
        of store: any ObjectStore,
        layout: ClusterLayout,
        epochLimit: Int = 10
    ) async throws(ObjectStoreError) {
        let read = await LeaseStore(store, layout: layout).read()
        switch read.reading {
        case .body(let lease, _): self.lease = .body(lease)
        case .absent: lease = .absent
        case .unfit(let why): lease = .unfit(why)
        case .failed: throw read.error ?? ObjectStoreError(.unreachable, "\(store) does not answer.")
        }
        let objects = try await store.list(prefix: layout.prefix).filter { $0.key != layout.lease }
        hasTraces = !objects.isEmpty
        let eras = objects.compactMap { object in
            layout.epoch(ofRecordAt: object.key).map { (stamp: $0, object: object) }
        }
        .sorted { $0.stamp > $1.stamp }
        highestEpoch = eras.first?.stamp.epoch ?? .zero
        let members = objects.filter { Self.number($0.key, layout.nodes) != nil }
        let wanted = eras.prefix(epochLimit).map(\.object) + members
        let contents = try await Self.contents(of: wanted, in: store)
        var problems: [String] = []
        func parse<Record>(
            _ objects: some Sequence<ObjectInfo>,
            _ parse: ([UInt8]) throws(ClusterObjectError) -> Record
        ) -> [Dated<Record>] {
            objects.compactMap { object in
                guard let bytes = contents[object.key] else { return nil }
                do throws(ClusterObjectError) {
                    return Dated(record: try parse(bytes), written: object.modified)
                } catch {
                    problems.append("'\(object.key)': \(error.message)")
                    return nil
                }
            }
        }
        epochs = parse(eras.prefix(epochLimit).map(\.object)) { bytes throws(ClusterObjectError) in
            try EpochRecord(parsing: bytes)
        }
        nodes = parse(members) { bytes throws(ClusterObjectError) in try NodeRecord(parsing: bytes) }
            .sorted { ($0.record.name, $0.record.node) < ($1.record.name, $1.record.node) }
        self.problems = problems
    }

    /// Creates a survey of what was found elsewhere.
    init(
        lease: LeaseFinding,
        epochs: [Dated<EpochRecord>],
        nodes: [Dated<NodeRecord>],
        hasTraces: Bool,
        problems: [String]
    ) {
        (self.lease, self.epochs, self.nodes) = (lease, epochs, nodes)
        (self.hasTraces, self.problems) = (hasTraces, problems)
        highestEpoch = epochs.first?.record.epoch ?? .zero
    }

    /// The number that a record is named by.
    private static func number(_ key: String, _ prefix: String) -> UInt64? {
        guard key.hasPrefix(prefix), key.hasSuffix(".json") else { return nil }
        return SessionID(String(key.dropFirst(prefix.count).dropLast(5)))?.rawValue
    }

    /// Small objects by their keys; one that is gone by now is left out.
    private static func contents(
        of objects: [ObjectInfo],
        in store: any ObjectStore
    ) async throws(ObjectStoreError) -> [String: [UInt8]] {
        let results = await withTaskGroup(of: (String, Result<[UInt8], ObjectStoreError>).self) { group in
            for object in objects {
                group.addTask {
                    do throws(ObjectStoreError) {
                        return (object.key, .success([UInt8](buffer: try await store.getVersioned(object.key).bytes)))
                    } catch {
                        return (object.key, .failure(error))
                    }
                }
            }
            return await group.reduce(into: []) { $0.append($1) }
        }
        var contents: [String: [UInt8]] = [:]
        for (key, result) in results {
            switch result {
            case .success(let bytes): contents[key] = bytes
            case .failure(let error): guard error.code == .notFound else { throw error }
            }
        }
        return contents
    }
}
