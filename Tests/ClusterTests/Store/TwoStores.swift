import LTX
import NIOCore
import ObjectStorage
import Replication
import Synchronization
import SystemPackage
import TestSupport
import Testing

@testable import Cluster

/// Two stores and a third one as the witness.
struct TwoStores {
    let a: ClusterPlace
    let b: ClusterPlace
    let witness: StoreWitness

    init(a: ClusterPlace, b: ClusterPlace, witness: StoreWitness) { (self.a, self.b, self.witness) = (a, b, witness) }

    /// Folders, whose requests all go through `fault`.
    init(in folder: FilePath, fault: StoreFault? = nil) {
        func store(_ name: String) -> any ObjectStore {
            let store = FolderStore(root: folder.appending(name))
            return fault.map { FaultyStore(store, $0) } ?? store
        }
        func place(_ name: String) -> ClusterPlace {
            ClusterPlace(replica: Replica(store: store(name), layout: .folder), layout: ClusterLayout(path: ""))
        }
        (a, b) = (place("a"), place("b"))
        witness = StoreWitness(store: store("w"), layout: ClusterLayout(path: ""))
    }

    /// Places in servers' buckets, of a path that nobody else has.
    init(_ first: S3TestServer, _ second: S3TestServer, witness third: any ObjectStore) throws {
        let path = "two-\(UInt64.random(in: .min ... .max))"
        func place(_ server: S3TestServer, _ name: String) throws -> ClusterPlace {
            let path = "\(path)/\(name)"
            let replica = Replica(store: try server.leaseStore(), layout: .s3(prefix: path))
            return ClusterPlace(replica: replica, layout: ClusterLayout(path: path))
        }
        (a, b) = (try place(first, "a"), try place(second, "b"))
        witness = StoreWitness(store: third, layout: ClusterLayout(path: "\(path)/w"))
    }

    /// The first host's view.
    var first: TwoStoreFounding { TwoStoreFounding(own: a, peer: b, witness: witness, name: "one") }
    /// The second host's view.
    var second: TwoStoreFounding { TwoStoreFounding(own: b, peer: a, witness: witness, name: "two") }

    /// The record that lies in a store.
    static func record(_ place: ClusterPlace) async throws -> StoreRecord? {
        do {
            let bytes = try await place.leases.getVersioned(place.layout.store).bytes
            return try StoreRecord(parsing: bytes.readableBytesView)
        } catch let error as ObjectStoreError where error.code == .notFound {
            return nil
        }
    }

    static func put(_ record: StoreRecord, _ place: ClusterPlace) async throws {
        try await put(record.encoded, place.layout.store, place)
    }

    static func put(_ bytes: [UInt8], _ key: String, _ place: ClusterPlace) async throws {
        let body = ObjectBody.bytes(ByteBuffer(bytes: bytes))
        try await place.leases.put(key, body, metadata: ObjectMetadata(), condition: .none)
    }

    /// All clusters that have a cell.
    var cells: [ClusterID] {
        get async throws {
            let prefix = witness.layout.cells
            return try await witness.store.list(prefix: prefix)
                .compactMap { ClusterID(String($0.key.dropFirst(prefix.count))) }
        }
    }
}

extension TwoStoreFounding {
    /// Expects that a node is not taken in, and why.
    func refuses(
        _ node: NodeID,
        of cluster: ClusterID? = nil,
        _ code: NodeCommandError.Code,
        _ words: String...,
        at location: SourceLocation = #_sourceLocation
    ) async throws {
        let error = await #expect(throws: NodeCommandError.self, sourceLocation: location) {
            _ = try await find(node, of: cluster)
        }
        expect(error, code, words, location)
    }

    /// Expects that nothing is begun, and why.
    func refusesToBegin(
        by founder: ClusterFounding.Founder = .sample,
        pageSize: Int? = nil,
        _ code: NodeCommandError.Code,
        _ words: String...,
        at location: SourceLocation = #_sourceLocation
    ) async throws {
        let error = await #expect(throws: NodeCommandError.self, sourceLocation: location) {
            _ = try await found(by: founder, pageSize: pageSize) { _ in
                Issue.record("it was about to begin", sourceLocation: location)
            }
        }
        expect(error, code, words, location)
    }

    private func expect(
        _ error: NodeCommandError?,
        _ code: NodeCommandError.Code,
        _ words: [String],
        _ location: SourceLocation
    ) {
        #expect(error?.code == code, "\(error?.message ?? "")", sourceLocation: location)
        for word in words {
            #expect(error?.message.contains(word) == true, "\(error?.message ?? "")", sourceLocation: location)
        }
    }
}

/// A store as the witness.
struct StoreWitness: Witness {
    let store: any ObjectStore
    let layout: ClusterLayout

    var description: String { "the witness \(store)" }

    func cell(of cluster: ClusterID) -> any LeaseCell { StoreCell(store, key: layout.cell(of: cluster)) }
}

/// Ends the requests of several stores from one of their conditional writes on, as when the process ends.
final class StoreFault: Sendable {
    /// What becomes of the write at which it begins.
    enum Kind: Hashable, Sendable, CaseIterable {
        case before
        /// It lands, and its answer is lost.
        case behind
    }

    private let left: Mutex<Int>
    private let kind: Kind
    /// Which keys' writes are counted.
    private let counts: @Sendable (String) -> Bool

    init(after count: Int, _ kind: Kind, counts: @escaping @Sendable (String) -> Bool = { !$0.contains("probe/") }) {
        left = Mutex(count)
        (self.kind, self.counts) = (kind, counts)
    }

    /// Whether it came to that.
    var hasHit: Bool { left.withLock { $0 < 0 } }

    static let error = ObjectStoreError(.unreachable, "The process has ended.")

    func check() throws(ObjectStoreError) { if hasHit { throw Self.error } }

    func write(
        _ key: String,
        _ put: () async throws(ObjectStoreError) -> ObjectVersion?
    ) async throws(ObjectStoreError) -> ObjectVersion? {
        try check()
        guard counts(key) else { return try await put() }
        let isLast = left.withLock { left in
            left -= 1
            return left < 0
        }
        guard isLast else { return try await put() }
        if kind == .behind { _ = try await put() }
        throw Self.error
    }
}

/// A store that a ``StoreFault`` cuts off.
struct FaultyStore: ObjectStore {
    let store: FolderStore
    let fault: StoreFault

    init(_ store: FolderStore, _ fault: StoreFault) { (self.store, self.fault) = (store, fault) }

    var description: String { store.description }
    var honoursConditions: Bool? { store.honoursConditions }

    func list(prefix: String) async throws(ObjectStoreError) -> [ObjectInfo] {
        try fault.check()
        return try await store.list(prefix: prefix)
    }

    func head(_ key: String) async throws(ObjectStoreError) -> ObjectInfo {
        try fault.check()
        return try await store.head(key)
    }

    func get(_ key: String, range: Range<Int64>?) async throws(ObjectStoreError) -> ByteBuffer {
        try fault.check()
        return try await store.get(key, range: range)
    }

    func getVersioned(
        _ key: String
    ) async throws(ObjectStoreError) -> (bytes: ByteBuffer, version: ObjectVersion?) {
        try fault.check()
        return try await store.getVersioned(key)
    }

    func download(_ key: String, to file: FilePath) async throws(ObjectStoreError) -> Int64 {
        try fault.check()
        return try await store.download(key, to: file)
    }

    func put(
        _ key: String,
        _ body: ObjectBody,
        metadata: ObjectMetadata,
        condition: PutCondition
    ) async throws(ObjectStoreError) -> ObjectVersion? {
        try await fault.write(key) { () async throws(ObjectStoreError) -> ObjectVersion? in
            try await store.put(key, body, metadata: metadata, condition: condition)
        }
    }

    func delete(_ keys: [String]) async throws(ObjectStoreError) {
        try fault.check()
        try await store.delete(keys)
    }
}
