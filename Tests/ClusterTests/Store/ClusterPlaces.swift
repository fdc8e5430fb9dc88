import Foundation
import LTX
import NIOCore
import ObjectStorage
import Replication
import SystemPackage
import TestSupport

@testable import Cluster

extension ClusterFounding {
    /// A replica in a folder.
    static func folder(_ path: FilePath) -> Self {
        let store = FolderStore(root: path)
        return Self(replica: Replica(store: store, layout: .folder), leases: store, layout: ClusterLayout(path: ""))
    }

    /// A new replica in a server's bucket.
    static func bucket(_ server: S3TestServer) throws -> Self {
        let (store, path) = (try server.leaseStore(), "founding-\(UInt64.random(in: .min ... .max))")
        let replica = Replica(store: store, layout: .s3(prefix: path))
        return Self(replica: replica, leases: store, layout: ClusterLayout(path: path))
    }

    /// Writes the header of a transaction file, and some bytes behind it: nobody here reads on.
    func put(
        level: Int,
        _ transactions: ClosedRange<UInt64>,
        epoch: UInt64,
        checksum: UInt64 = 1,
        isOurs: Bool = true
    ) async throws {
        guard let min = TransactionID(exactly: transactions.lowerBound),
            let max = TransactionID(exactly: transactions.upperBound)
        else { throw TestSupportError("\(transactions) are no transactions") }
        let header = LTXHeader(
            pageSize: 4096,
            commit: 1,
            minTXID: min,
            maxTXID: max,
            timestampMilliseconds: 1,
            sourceMark: isOurs ? SourceMark(checksum: checksum, epoch: epoch) : nil
        )
        let bytes = header.encoded() + [UInt8](repeating: 0, count: 400)
        try await leases.put(
            replica.layout.key(level: level, min: min, max: max),
            .bytes(ByteBuffer(bytes: bytes)),
            metadata: ObjectMetadata(),
            condition: .none
        )
    }

    func put(_ record: EpochRecord, in topology: StoreTopology = .shared) async throws {
        let body = ObjectBody.bytes(ByteBuffer(bytes: record.encoded(at: "2026-01-02T03:04:05Z")))
        try await leases.put(layout.place(of: record, in: topology), body, metadata: ObjectMetadata(), condition: .none)
    }

    func put(_ record: NodeRecord) async throws {
        let body = ObjectBody.bytes(ByteBuffer(bytes: record.encoded))
        try await leases.put(layout.record(of: record.node), body, metadata: ObjectMetadata(), condition: .none)
    }

    func survey() async throws -> ClusterSurvey { try await ClusterSurvey(of: leases, layout: layout) }
}

extension ClusterFounding.Founder {
    /// Node one, with a time to live that tests can wait for.
    static var sample: Self {
        let place = NodeIdentity.Place(machine: "m", folder: .init(path: "/p", inode: 1))
        var founder = Self(.new(at: place), name: "one", url: "http://one", ttl: .milliseconds(600))
        founder.node = .one
        return founder
    }
}

extension EpochRecord {
    static func sample(epoch: UInt64, first: UInt64) -> Self {
        Self(
            epoch: Epoch(rawValue: epoch),
            session: SessionID(rawValue: 11),
            node: .one,
            parent: ChainPoint(number: first - 1, checksum: 1),
            parentEpoch: Epoch(rawValue: epoch - 1),
            keepFrom: first,
            first: first,
            cause: .free
        )
    }
}

extension NodeRecord {
    static func sample(_ node: NodeID, _ name: String) -> Self {
        Self(node: node, name: name, url: "", version: "1", position: .start, role: .standby, stamp: 1)
    }
}

extension LeaseReading {
    /// The lease that was read.
    var lease: Lease? {
        guard case .body(let lease, _) = self else { return nil }
        return lease
    }
}
