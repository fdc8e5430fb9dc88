import LTX
import NIOCore
import ObjectStorage
import Replication
import SystemPackage

/// The chain of a cluster in its store: transaction files, epoch records, node records.
///
/// It repeats nothing that was refused or is in doubt: what an answer means is for ``NodeCore`` to decide. May be used
/// from any task.
struct ChainStore: Sendable, CustomStringConvertible {
    let replica: Replica
    /// The same place, for creating level-0 files: each in one request, for a condition counts at its end.
    let creating: Replica
    let layout: ClusterLayout
    /// Where fetched files lie until they are applied.
    let folder: MetadataFolder

    /// Takes a place.
    init(_ place: ClusterPlace, folder: MetadataFolder) {
        (replica, creating, layout, self.folder) = (place.replica, place.creating, place.layout, folder)
    }

    var description: String { "\(replica.store)" }

    var store: any ObjectStore { replica.store }
    /// Numbers of transactions are counted on from; those of a chain never come near this one.
    private static let highestNumber = UInt64(Int64.max)

    /// What a fetch has brought.
    struct Fetched: Sendable {
        var answer: FetchAnswer
        /// Its file on this host's disk, if it has one, is to be removed by whoever gets it.
        var file: DecodedTransaction?
        /// Why there is no answer, where there is none.
        var error: ObjectStoreError?
    }

    /// What the creation of an object has come to.
    struct Created: Sendable {
        var answer: CreateAnswer
        /// The object, where it is there.
        var stored: ReplicaFile?
        /// Why there is no answer, where there is none.
        var error: String?
    }

    // MARK: - Reading

    /// Fetches and checks the level-0 file of a transaction.
    ///
    /// - Parameter isLarge: Whether it is expected to have more than 1 MiB: then it is not tried in memory first.
    func fetch(_ number: UInt64, isLarge: Bool = false) async -> Fetched {
        guard let id = TransactionID(exactly: number) else { return Fetched(answer: .absent) }
        let key = replica.layout.key(level: 0, min: id, max: id)
        return await fetch(key, LTXFileName(min: id, max: id), number, isLarge: isLarge)
    }

    /// Fetches and checks a file that holds a transaction and begins at or before it: one of a higher level, or a whole copy
    /// behind a gap (failover-review G3).
    ///
    /// The one that leads furthest is taken: it saves the others.
    func fetchMerged(_ number: UInt64) async -> Fetched {
        guard let id = TransactionID(exactly: number) else { return Fetched(answer: .absent) }
        let listing: ReplicaListing
        do { listing = try await replica.list() } catch { return Fetched(answer: .failed) }
        // Of those that lead equally far the lowest level is the smallest.
        let candidates = listing.files.filter { $0.level > 0 && $0.min <= id && id <= $0.max }
        let best = candidates.min { ($1.max, $0.byteCount) < ($0.max, $1.byteCount) }
        guard let best else { return await fetchCopy(behind: id, listing) }
        let isLarge = best.byteCount > Int64(DecodedTransaction.imageLimit)
        return await fetch(best.key, LTXFileName(min: best.min, max: best.max), number, isLarge: isLarge)
    }

    /// The newest file behind a gap, if it is a whole copy: its snapshot is not there yet.
    private func fetchCopy(behind id: TransactionID, _ listing: ReplicaListing) async -> Fetched {
        let files = listing[0]
        let starts = files.indices.filter { $0 == 0 || files[$0].min != files[$0 - 1].max.next }
        guard let start = starts.last, files[start].min > id else { return Fetched(answer: .absent) }
        let file = files[start]
        let isLarge = file.byteCount > Int64(DecodedTransaction.imageLimit)
        let found = await fetch(file.key, LTXFileName(min: file.min, max: file.max), id.rawValue, isLarge: isLarge)
        guard let copy = found.file, !copy.holdsEveryPage else { return found }
        if let path = copy.path { try? await onDisk { try Disk.remove(path) } }  // else the next start removes it
        return Fetched(answer: .absent)
    }

    /// Small files stay in memory: no file is made and synced for them.
    private func fetch(_ key: String, _ name: LTXFileName, _ number: UInt64, isLarge: Bool) async -> Fetched {
        if !isLarge {
            do throws(ObjectStoreError) {
                let bytes = Array(buffer: try await store.getVersioned(key).bytes)
                return await checked(key, name, number) { try DecodedTransaction(bytes: bytes, name: key) }
            } catch {
                // Said of one that is too large to be read like this.
                guard error.code == .invalidRequest else { return Fetched(error) }
            }
        }
        let path = folder.temporaryFile("fetched")
        do throws(ObjectStoreError) { _ = try await store.download(key, to: path) } catch { return Fetched(error) }
        let result = await checked(key, name, number) { try DecodedTransaction(path) }
        if result.file?.path == nil {
            // A cancelled task does not reach the pool.
            do { try await onDisk { try Disk.remove(path) } } catch { try? Disk.remove(path) }
        }
        return result
    }

    private func checked(
        _ key: String,
        _ name: LTXFileName,
        _ number: UInt64,
        _ decode: @escaping @Sendable () throws -> DecodedTransaction?
    ) async -> Fetched {
        do {
            guard let file = try await onDisk(decode) else { return Fetched(answer: .foreign(number)) }
            guard file.header.fileName == name else {
                return Fetched(answer: .damaged("\(key) holds other transactions than its name says."))
            }
            guard file.state.number < Self.highestNumber else {
                return Fetched(answer: .damaged("\(key) has a number beyond which none are left."))
            }
            return Fetched(file)
        } catch let error as LTXError {
            return Fetched(answer: .damaged("\(key) in the store is damaged: \(error)"))
        } catch {
            return Fetched(answer: .failed)
        }
    }

    /// Page 1 as the chain has it at a transaction, and the size of the database there in pages.
    func firstPage(at number: UInt64) async throws -> (bytes: [UInt8], pageCount: UInt32) {
        guard let id = TransactionID(exactly: number) else { throw ChainStoreError.noFirstPage }
        // It may lie behind a whole copy that has no snapshot yet.
        let plan = try await Restorer(replica).plan(.transaction(id))
        var pageCount: UInt32?
        for file in plan.files.reversed() {
            let path = folder.temporaryFile("page")
            _ = try await store.download(file.key, to: path)
            let found = try await onDisk { () throws -> (page: [UInt8]?, commit: UInt32) in
                defer { try? Disk.remove(path) }  // else the next start removes it
                guard let local = try LocalTransaction(path) else { throw ChainStoreError.noFirstPage }
                return (try local.page(1), local.header.commit)
            }
            pageCount = pageCount ?? found.commit
            if let page = found.page, let pageCount { return (page, pageCount) }
        }
        throw ChainStoreError.noFirstPage
    }

    // MARK: - Creating

    /// Creates the object of a transaction file, unless something is there.
    func create(_ file: LocalTransaction) async -> Created {
        do throws(ReplicaError) {
            let stored = try await creating.put(
                file.path,
                header: file.header,
                byteCount: file.byteCount,
                level: 0,
                condition: .ifAbsent
            )
            return Created(answer: .created, stored: stored)
        } catch {
            guard let cause = error.cause as? ObjectStoreError, cause.code == .conditionFailed else {
                return Created(answer: .unknown, error: error.message)
            }
            return await compare(with: file)
        }
    }

    /// Something is there: whether it is, as its header and trailer tell, this very file (N3).
    private func compare(with file: LocalTransaction) async -> Created {
        let id = file.header.maxTXID
        let key = replica.layout.key(level: 0, min: id, max: id)
        do {
            let there = ReplicaFile(
                level: 0,
                min: id,
                max: id,
                byteCount: try await store.head(key).byteCount,
                created: Timestamp(rawValue: file.header.timestampMilliseconds),
                key: key
            )
            let header = try await replica.header(of: there)
            let trailer = try await replica.trailer(of: there)
            let isSame =
                header == file.header && trailer.fileChecksum == file.fileChecksum && there.byteCount == file.byteCount
            let mark = header.sourceMark.map { mark in
                FileMark(
                    point: ChainPoint(number: id.rawValue, checksum: mark.checksum),
                    node: NodeID(rawValue: header.nodeID),
                    epoch: Epoch(rawValue: mark.epoch),
                    fileChecksum: trailer.fileChecksum
                )
            }
            return Created(answer: .exists(isSame: isSame, mark), stored: isSame ? there : nil)
        } catch let error as ReplicaError where error.code == .damaged {
            // Not a transaction file at all.
            return Created(answer: .exists(isSame: false, nil))
        } catch {
            return Created(answer: .unknown, error: "\(error)")
        }
    }

    // MARK: - Epochs

    /// Creates the record of an epoch, unless there is one.
    func create(_ record: EpochRecord, in topology: StoreTopology = .shared) async -> CreateAnswer {
        let key = layout.place(of: record, in: topology)
        let body = ObjectBody.bytes(ByteBuffer(bytes: record.encoded(at: Timestamp.now.shortText)))
        do throws(ObjectStoreError) {
            try await store.put(key, body, metadata: ObjectMetadata(), condition: .ifAbsent)
            return .created
        } catch {
            guard error.code == .conditionFailed else { return .unknown }
            guard let bytes = try? await store.get(key, range: nil) else { return .unknown }
            let there = try? EpochRecord(parsing: bytes.readableBytesView)
            return .exists(isSame: there == record, nil)
        }
    }

    /// All records of epochs.
    ///
    /// - Throws: `ObjectStoreError`, or ``ClusterObjectError`` for something that is none.
    func epochRecords() async throws -> [EpochRecord] {
        var records: [EpochRecord] = []
        for object in try await store.list(prefix: layout.epochs) where object.key.hasSuffix(".json") {
            let bytes = try await store.getVersioned(object.key).bytes
            records.append(try EpochRecord(parsing: bytes.readableBytesView))
        }
        return records
    }

    // MARK: - Nodes

    /// Writes a node's record.
    func write(_ record: NodeRecord) async throws(ObjectStoreError) {
        let body = ObjectBody.bytes(ByteBuffer(bytes: record.encoded))
        try await store.put(layout.record(of: record.node), body, metadata: ObjectMetadata(), condition: .none)
    }

    /// The records of nodes that were written last; what is none is left out.
    ///
    /// Hosts without a lasting disk leave one behind at each start: those that nobody writes any more must not hide the
    /// others.
    func nodeRecords() async throws(ObjectStoreError) -> [NodeRecord] {
        let objects = try await store.list(prefix: layout.nodes).filter { $0.key.hasSuffix(".json") }
        var records: [NodeRecord] = []
        for object in objects.sorted(by: { $0.modified > $1.modified }).prefix(256) {
            // The record of a node that has gone may be removed meanwhile.
            guard
                let bytes = try await found({ () throws(ObjectStoreError) in
                    try await store.getVersioned(object.key).bytes
                })
            else { continue }
            if let record = try? NodeRecord(parsing: bytes.readableBytesView) { records.append(record) }
        }
        return records
    }

    private func found<Value>(
        _ read: () async throws(ObjectStoreError) -> Value
    ) async throws(ObjectStoreError) -> Value? {
        do throws(ObjectStoreError) { return try await read() } catch {
            guard error.code == .notFound || error.code == .invalidRequest else { throw error }
            return nil
        }
    }
}

/// What the chain does not tell.
enum ChainStoreError: Error, CustomStringConvertible {
    case noFirstPage

    var description: String { "No file of the chain holds page 1: verify the replica." }
}

extension ChainStore.Fetched {
    /// A file that is whole.
    init(_ file: DecodedTransaction) { self.init(answer: .file(FileMark(file)), file: file) }

    /// What the store said instead of giving a file.
    init(_ error: ObjectStoreError) {
        let isAbsent = error.code == .notFound
        self.init(answer: isAbsent ? .absent : .failed, error: isAbsent ? nil : error)
    }
}
