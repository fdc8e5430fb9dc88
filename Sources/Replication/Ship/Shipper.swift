package import LTX
import ObjectStorage
import SystemPackage

/// Ships the transaction files of one database to one replica, in order, one at a time, each created only if absent.
///
/// Before the first file it proves that the replica is this database's own history. It keeps the replica's listing, so
/// that nothing has to be listed again while it runs.
package actor Shipper: ReplicaBooks {
    /// What the shipper tells its owner.
    package enum Event: Sendable {
        case historyChanged(cause: String, detail: String)
        case shipped(through: TransactionID, byteCount: Int64)
        case failed(any Error)
        case recovered
        /// The store does not refuse a put over an existing object.
        case storeIgnoresConditions
        case secondWriter(String)
    }

    private let engine: CaptureEngine
    let replica: Replica
    private let folder: MetadataFolder
    private let onEvent: @Sendable (Event) -> Void

    /// The replica's files, as far as this process knows; `nil` before it was asked.
    package private(set) var listing: ReplicaListing?
    /// The highest transaction that the store has accepted.
    package private(set) var accepted: TransactionID?
    /// Set when somebody else writes to the replica: nothing is shipped, merged or deleted any more.
    package private(set) var isHalted = false
    /// Set while the store answers, and whose history it holds cannot be told before the database is attached.
    package private(set) var needsDatabase = false
    private var honoursConditions: Bool?
    private var hasWarned = false
    private var failures = 0
    /// Whether local files may wait that the engine has not told of: those of an earlier run, or after a failure.
    private var mustLook = true

    package init(
        engine: CaptureEngine,
        replica: Replica,
        folder: MetadataFolder,
        onEvent: @escaping @Sendable (Event) -> Void
    ) {
        (self.engine, self.replica, self.folder, self.onEvent) = (engine, replica, folder, onEvent)
        honoursConditions = replica.store.honoursConditions
    }

    /// One pass: proves the history if that is not done, then uploads what is closed.
    ///
    /// - Returns: How long to wait before the next pass if it did not succeed; `nil` where all is shipped.
    package func pass() async -> Duration? {
        do {
            if listing == nil { try await proveHistory() }
            guard !isHalted else { return nil }
            try await uploadAll()
            if failures > 0 {
                failures = 0
                onEvent(.recovered)
            }
            return nil
        } catch is RetryLater {
            return .seconds(1)
        } catch {
            failures += 1
            if failures == 1 || failures.isMultiple(of: 20) { onEvent(.failed(error)) }
            let seconds = min(60.0, 0.5 * Double(1 << min(failures - 1, 7)))
            return .seconds(seconds * Double.random(in: 0.75...1.25))
        }
    }

    /// Notes files that were merged into the replica, or removed from it.
    package func update(inserting new: [ReplicaFile], removing old: [ReplicaFile]) {
        for file in new { listing?.insert(file) }
        for file in old { listing?.remove(file) }
    }

    package func deletionLicence() -> DeletionLicence {
        accepted.map { .singleWriter(acceptedThrough: $0, isAnswered: true) } ?? .none
    }

    /// Forgets what is known of the replica: it is asked again before the next upload.
    package func forget() {
        listing = nil
        accepted = nil
        mustLook = true
    }

    // MARK: - History

    private struct RetryLater: Error {}

    private var haltFile: FilePath { folder.own.appending("second-writer") }

    private func proveHistory() async throws {
        if try await onDisk({ [haltFile] in try FileStatus(path: haltFile) != nil }) {
            return halt("found by an earlier run")
        }
        var previous: ReplicaListing?
        for _ in 0..<5 {
            needsDatabase = false
            let now = try await replica.list()
            let verdict = try await verdict(for: now, isSecondLook: previous.map { $0 == now } ?? false)
            switch verdict {
            case .ours(let through):
                return await begin(with: now, through: through)
            case .ourHole(let missing, let through):
                listing = now
                for id in missing { try await upload(try await localFile(id)) }
                return await begin(with: listing ?? now, through: through)
            case .startAnew(let above, let cause, let detail):
                onEvent(.historyChanged(cause: cause.rawValue, detail: detail))
                let base = TransactionID(exactly: above)
                try await engine.restartHistory(above: base, cause: cause, detail: detail)
                return await begin(with: now, through: above)
            case .lookAgain:
                previous = now
                try await Pause.sleep(for: .seconds(3))
            }
        }
        halt("the replica changes while nobody should write to it")
    }

    private func verdict(for listing: ReplicaListing, isSecondLook: Bool) async throws -> HistoryVerdict {
        // While a database without local files is being compared with the replica there is nothing to decide.
        let status = await engine.status()
        guard status.phase == .attached else {
            needsDatabase = true
            throw RetryLater()
        }
        if status.isCopying, status.transaction == nil || !listing.isEmpty { throw RetryLater() }
        let ids = try await engine.localTransactions()
        let local = HistoryVerdict.Local(newest: status.transaction, files: Set(ids), checksum: status.checksum)
        var comparison: HistoryVerdict.Comparison?
        if let newest = listing[0].max(by: { $0.max < $1.max }) {
            let header = try await replica.header(of: newest)
            let trailer = try await replica.trailer(of: newest)
            let path = folder.transactionFile(newest.max)
            let mine = try await onDisk { () throws -> (LTXHeader, LTXTrailer)? in
                guard let source = try TransactionFileSource(path: path) else { return nil }
                return (try source.header(), try source.trailer())
            }
            if let mine {
                comparison = mine.0 == header && mine.1 == trailer ? .equal : .different
            } else {
                comparison = .noLocalFile(mark: header.sourceMark?.checksum)
            }
        }
        return .decide(listing: listing, local: local, comparison: comparison, isSecondLook: isSecondLook)
    }

    private func begin(with listing: ReplicaListing, through: UInt64) async {
        self.listing = listing
        accepted = TransactionID(exactly: through)
        await engine.storeIsKnown(shippedThrough: accepted)
        if let accepted { onEvent(.shipped(through: accepted, byteCount: 0)) }
    }

    private func halt(_ why: String) {
        isHalted = true
        let words =
            "Another writer uses \(replica.store) (\(why)): nothing more is shipped. Stop the other one, make sure that "
            + "this database is the right one, remove \(haltFile), and start again."
        // A mark that cannot be written is no reason to go on: this process stays halted.
        try? Disk.replace(haltFile, with: Array(words.utf8), mode: folder.fileMode, durable: true)
        onEvent(.secondWriter(words))
    }

    // MARK: - Uploads

    private func uploadAll() async throws {
        while !mustLook, !isHalted, let id = accepted?.next, let file = engine.closedFiles.file(id) {
            mustLook = true
            try await ship(file)
            guard !isHalted else { return }
            engine.noteShipped(through: id)
            mustLook = false
        }
        guard mustLook || engine.closedFiles.hasFiles(after: accepted) else { return }
        mustLook = true
        for id in try await engine.unshippedTransactions() {
            try await ship(try await localFile(id))
            guard !isHalted else { return }
            await engine.shipped(through: id)
        }
        mustLook = false
    }

    /// Looks for local files before the next upload, whatever the engine has told.
    package func lookAgain() { mustLook = true }

    private func ship(_ file: ClosedFile) async throws {
        let id = file.transaction
        if honoursConditions == false, try await isThere(file) {
            // This very file: an earlier attempt got there, and only its answer was lost.
        } else if !isHalted {
            try await upload(file)
        }
        guard !isHalted else { return }
        accepted = max(accepted ?? id, id)
        onEvent(.shipped(through: id, byteCount: file.byteCount))
    }

    /// What the local file of one transaction tells of itself.
    private func localFile(_ id: TransactionID) async throws -> ClosedFile {
        let path = folder.transactionFile(id)
        return try await onDisk {
            guard let source = try TransactionFileSource(path: path) else {
                throw CaptureError(.fileSystem, "\(path) is missing: it was not shipped yet.")
            }
            return ClosedFile(
                header: try source.header(),
                trailer: try source.trailer(),
                byteCount: source.byteCount
            )
        }
    }

    /// Creates the object of one transaction; the same bytes there already are success, others a second writer.
    private func upload(_ closed: ClosedFile) async throws {
        let (id, header, byteCount) = (closed.transaction, closed.header, closed.byteCount)
        let path = folder.transactionFile(id)
        do {
            let file = try await put(path, header: header, byteCount: byteCount)
            listing?.insert(file)
        } catch let error as ReplicaError {
            guard let cause = error.cause as? ObjectStoreError else { throw error }
            guard cause.code == .conditionFailed else { throw error }
            guard try await recognize(closed, byteCount: try await size(of: key(of: id))) else { return }
            if honoursConditions == nil { honoursConditions = true }
        }
        if honoursConditions == nil, byteCount < 1 << 20 { try await probe(path, header, byteCount) }
    }

    private func key(of id: TransactionID) -> String { replica.layout.key(level: 0, min: id, max: id) }

    /// Whether an object that is there already is this very file; where it is not, nothing more is shipped.
    private func recognize(_ closed: ClosedFile, byteCount: Int64) async throws -> Bool {
        let (id, key) = (closed.transaction, key(of: closed.transaction))
        let there = ReplicaFile(
            level: 0,
            min: id,
            max: id,
            byteCount: byteCount,
            created: Timestamp(rawValue: closed.header.timestampMilliseconds),
            key: key
        )
        guard byteCount == closed.byteCount, try await replica.header(of: there) == closed.header,
            try await replica.trailer(of: there) == closed.trailer
        else {
            halt("\(key) holds other bytes than ours")
            return false
        }
        listing?.insert(there)
        return true
    }

    private func put(_ path: FilePath, header: LTXHeader, byteCount: Int64) async throws -> ReplicaFile {
        try await replica.put(path, header: header, byteCount: byteCount, level: 0, condition: .ifAbsent)
    }

    private func size(of key: String) async throws -> Int64 {
        do { return try await replica.store.head(key).byteCount } catch { throw ReplicaError(error) }
    }

    /// Finds out whether the store honours put-if-absent, by creating a file again with the same bytes.
    private func probe(_ path: FilePath, _ header: LTXHeader, _ byteCount: Int64) async throws {
        do {
            _ = try await put(path, header: header, byteCount: byteCount)
            honoursConditions = false
            if !hasWarned {
                hasWarned = true
                onEvent(.storeIgnoresConditions)
            }
        } catch let error as ReplicaError {
            guard (error.cause as? ObjectStoreError)?.code == .conditionFailed else { throw error }
            honoursConditions = true
        }
    }

    /// A store that overwrites cannot tell of a second writer: looks whether this id was created already, and by whom.
    ///
    /// - Returns: Whether it is this very file.
    private func isThere(_ closed: ClosedFile) async throws -> Bool {
        let key = key(of: closed.transaction)
        let found: [ObjectInfo]
        do { found = try await replica.store.list(prefix: key) } catch { throw ReplicaError(error) }
        guard let object = found.first(where: { $0.key == key }) else { return false }
        return try await recognize(closed, byteCount: object.byteCount)
    }
}
