import LTX
package import ObjectStorage
import Replication
package import SystemPackage

/// Keeps aside what only this node's database holds, before the database goes back to the chain (failover-review N11).
///
/// The caller holds SQLite's write lock from before the call until the database is rewound. Nothing is changed but the
/// metadata folder. All of it blocks.
package struct TailKeeper: Sendable {
    /// What is to be kept.
    package struct Request: Sendable {
        /// The database.
        package var database: FilePath
        /// Its metadata folder.
        package var metadata: FilePath
        /// This node.
        package var node: NodeID
        /// Its name.
        package var name: String
        /// The epoch in which it wrote.
        package var epoch: Epoch
        /// The last place in common with the chain; `nil` where none could be proven.
        package var fork: ChainPoint?
        /// The place that was recorded last: accepted by the store, or applied from it.
        package var recorded: ChainPoint
        /// The local transaction files beyond the fork, ascending.
        package var files: [FilePath]
        /// Whether the database itself is to be copied too, if the disk has room for it; where there is no fork it always
        /// is.
        package var copiesDatabase: Bool
        /// The pages that are known to differ from the chain; `nil`: those of the files.
        package var differingPages: Set<UInt32>?

        /// Creates a request.
        package init(
            database: FilePath,
            metadata: FilePath,
            node: NodeID,
            name: String,
            epoch: Epoch,
            fork: ChainPoint?,
            recorded: ChainPoint,
            files: [FilePath],
            copiesDatabase: Bool = false,
            differingPages: Set<UInt32>? = nil
        ) {
            (self.database, self.metadata, self.node, self.name) = (database, metadata, node, name)
            (self.epoch, self.fork, self.recorded, self.files) = (epoch, fork, recorded, files)
            (self.copiesDatabase, self.differingPages) = (copiesDatabase, differingPages)
        }
    }

    /// A database of up to so many bytes, its log left out, is copied with each tail.
    ///
    /// The transaction files alone become a database only as long as the replica leads to the fork: some minutes, until its
    /// transaction is merged with others. The copy takes room on this host and in the store until the tail goes.
    package static let copyLimit: Int64 = 256 << 20

    /// The steps of keeping a tail, in their order; after each the process may die.
    package enum Step: Hashable, Sendable {
        case begun
        case copied(String)
        case described
        case published
    }

    private let request: Request
    private let tails: LocalTails
    private let fileMode: UInt32
    private let folderMode: UInt32

    /// Keeps a tail, durably.
    ///
    /// What a process that died left unfinished is removed first. A tail that was kept before and tells of the same
    /// commits is returned as it is; another one of the same place gets a name of its own.
    ///
    /// - Parameters:
    ///   - request: What is to be kept. A transaction file that is damaged is kept as it is, and the database with it.
    ///   - moment: The present moment.
    ///   - onStep: Called after each step; for tests.
    /// - Throws: ``TailError``; nothing is kept then, and nothing is lost either.
    package static func keep(
        _ request: Request,
        at moment: Timestamp = .now,
        onStep: (Step) -> Void = { _ in }
    ) throws(TailError) -> LocalTail {
        do {
            return try TailKeeper(request).keep(at: moment, onStep)
        } catch { throw TailError(error, "keeping a tail of \(request.database)") }
    }

    private init(_ request: Request) throws {
        self.request = request
        tails = LocalTails(metadata: request.metadata)
        let mode = try FileStatus(path: request.database)?.mode ?? 0o600
        // Who may read the database may read its tails; a folder that may be read may be entered.
        fileMode = mode & 0o666 | 0o600
        folderMode = fileMode | (fileMode & 0o444) >> 2
    }

    private func keep(at moment: Timestamp, _ onStep: (Step) -> Void) throws -> LocalTail {
        try Disk.makeFolders(tails.folder, mode: folderMode)
        // The folders above may be new as well.
        let own = tails.folder.removingLastComponent()
        for folder in [own, own.removingLastComponent()] { try Disk.syncFolder(folder) }
        try tails.removeUnfinished()
        var id = TailID(epoch: request.epoch, transaction: (request.fork ?? request.recorded).number)
        let folder = tails.folder.appending("\(id).tmp")
        do {
            try Disk.makeFolders(folder, mode: folderMode)
            onStep(.begun)
            var manifest = try fill(folder, id, moment, onStep)
            while try FileStatus(path: tails.folder(of: id)) != nil {
                // One whose manifest cannot be read is another one: it stays for people to look at.
                if let kept = try? tails.manifest(of: id), kept.tellsTheSame(as: manifest) {
                    try LocalTails.removeFolder(folder)
                    // Whoever gave it its name may have died before that was durable.
                    try Disk.syncFolder(tails.folder)
                    return LocalTail(folder: tails.folder(of: id), manifest: kept)
                }
                guard let next = id.next else {
                    throw TailError(.invalid, "\(tails.folder) has too many tails of one place: acknowledge some.")
                }
                (id, manifest.id) = (next, next)
            }
            let path = folder.appending(TailManifest.name)
            try Disk.replace(path, with: manifest.encoded, mode: fileMode, durable: true)
            onStep(.described)
            try Disk.rename(folder, to: tails.folder(of: id))
            try Disk.syncFolder(tails.folder)
            onStep(.published)
            return LocalTail(folder: tails.folder(of: id), manifest: manifest)
        } catch {
            try? LocalTails.removeFolder(folder)  // best effort, on the way of another error
            throw error
        }
    }

    /// Copies all files, and tells of them.
    private func fill(
        _ folder: FilePath,
        _ id: TailID,
        _ moment: Timestamp,
        _ onStep: (Step) -> Void
    ) throws -> TailManifest {
        let base = request.fork ?? request.recorded
        var transactions = TailTransactions(base: base)
        var files: [TailManifest.File] = []
        for path in request.files {
            guard let name = path.lastComponent.flatMap({ LTXFileName($0.string) }) else {
                throw TailError(.invalid, "\(path) is no transaction file: it cannot be a part of a tail.")
            }
            let copy = folder.appending(name.description)
            let summary = try NewFile.copy(path, to: copy, mode: fileMode)
            let damage = transactions.add(copy, name)
            files.append(TailManifest.File(name.description, summary, damage: damage))
            onStep(.copied(name.description))
        }
        var state = transactions.state
        let held = Result { try HeldDatabase(request.database) }
        let isNeeded = request.fork == nil || state == nil
        if isNeeded || request.copiesDatabase {
            do {
                let held = try held.get()
                let copy = try held.copy(
                    database: folder.appending(TailManifest.database),
                    log: folder.appending(TailManifest.log),
                    mode: fileMode
                )
                if isNeeded {
                    state = .init(checksum: copy.checksum, pageSize: held.pageSize, pageCount: held.pageCount)
                }
                files.append(TailManifest.File(TailManifest.database, copy.database))
                if let log = copy.log { files.append(TailManifest.File(TailManifest.log, log)) }
                onStep(.copied(TailManifest.database))
            } catch {
                // The transaction files tell all of it: a full disk must not keep this node from the chain.
                guard !isNeeded else { throw error }
                for name in [TailManifest.database, TailManifest.log] { try Disk.remove(folder.appending(name)) }
            }
        }
        guard let state else { throw TailError(.invalid, "\(request.database) has no tail behind \(base).") }
        let pages = request.differingPages ?? (request.files.isEmpty ? nil : transactions.pages)
        var tables = Self.tables(pages, held)
        if request.fork == nil, request.differingPages == nil, pages != nil {
            tables.problem = tables.problem ?? "only what the transaction files hold was looked at"
        }
        return TailManifest(
            id: id,
            node: request.node,
            nodeName: request.name,
            fork: request.fork,
            base: base,
            state: state,
            kept: moment,
            firstTransaction: transactions.first,
            lastTransaction: transactions.last,
            transactionCount: request.files.isEmpty ? nil : transactions.count,
            pageCount: pages?.count,
            tables: tables,
            files: files,
            acknowledged: nil
        )
    }

    private static func tables(
        _ pages: Set<UInt32>?,
        _ database: Result<HeldDatabase, any Error>
    ) -> TouchedTables {
        guard let pages else { return .unknown("which of its pages are not those of the chain is not known") }
        do {
            let held = try database.get()
            return TouchedTables(of: pages, pageCount: held.pageCount) { try held.page($0) }
        } catch {
            return .unknown("the database could not be read: \(error)")
        }
    }
}

extension TailManifest.File {
    fileprivate init(_ name: String, _ summary: NewFile.Summary, damage: String? = nil) {
        self.init(name: name, byteCount: summary.byteCount, checksum: summary.checksum, damage: damage)
    }
}

/// What the transaction files of a tail tell, one after another.
private struct TailTransactions {
    private(set) var pages: Set<UInt32> = []
    private(set) var first: Timestamp?
    private(set) var last: Timestamp?
    private(set) var count: UInt64 = 0
    private var end: UInt64
    private var isChain = true
    private var newest: TailManifest.State?

    init(base: ChainPoint) { end = base.number }

    /// The state that they lead to; `nil` where they do not lead from the base to one that is known.
    var state: TailManifest.State? { isChain ? newest : nil }

    /// Adds a file. Returns what is wrong with it.
    mutating func add(_ path: FilePath, _ name: LTXFileName) -> String? {
        let (more, isLarge) = (name.max.rawValue - name.min.rawValue).addingReportingOverflow(1)
        let (sum, isTooLarge) = count.addingReportingOverflow(more)
        count = isLarge || isTooLarge ? .max : sum
        isChain = isChain && name.min.rawValue - 1 == end
        end = name.max.rawValue
        do {
            let source = try FileSource(path, name: name.description)
            let summary = try LTXVerifier(source).verify(as: name) { page, _, _ in pages.insert(page) }
            let header = summary.header
            let moment = Timestamp(rawValue: header.timestampMilliseconds)
            (first, last) = (first ?? moment, moment)
            guard let mark = header.sourceMark, newest.map({ $0.pageSize == header.pageSize }) ?? true else {
                isChain = false
                return nil
            }
            newest = .init(checksum: mark.checksum, pageSize: header.pageSize, pageCount: header.commit)
            return nil
        } catch {
            isChain = false
            return "\(error)"
        }
    }
}
