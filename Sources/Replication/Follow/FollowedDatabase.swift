import SQLiteFormat
package import SystemPackage

/// A database that follows another one: page images become commits of it, while other processes read (failover-review
/// N10).
///
/// SQL cannot write pages, and writing the file in place would tear readers. So the frames of a commit are appended to
/// the write-ahead log and entered into its index as SQLite's own writer does it, under SQLite's own write lock: readers
/// see the whole commit or none of it, and whoever recovers after a crash finds an ordinary log. Applying a commit twice
/// is harmless.
///
/// It belongs to one thread at a time; all its methods block.
package final class FollowedDatabase {
    /// The size of the database's pages in bytes.
    package let pageSize: Int

    let path: FilePath
    private let size: PageSize
    private let connection: EngineConnection
    /// Checkpoints, and holds no lock between.
    private let checkpointer: EngineConnection
    /// SQLite's own handle of the file: another one would cost this process its locks when it is closed.
    let file: SQLiteFileHandle
    private let index: WALIndexWriter
    private let log: FileDescriptor
    /// The index as the last commit of ours left it.
    private var left: WALIndexHeader?

    /// Called at each step of a commit; for tests that kill the process there.
    package var onStep: ((CommitStep) -> Void)?

    /// Whether the write lock is held: nobody else can commit.
    package private(set) var isLocked = false

    /// Opens a database in WAL mode.
    ///
    /// - Throws: ``CaptureError`` or `SQLiteFailure` where it is none, or cannot be opened.
    package init(_ path: FilePath) throws {
        self.path = path
        connection = try EngineConnection(path: path.string)
        checkpointer = try EngineConnection(path: path.string)
        file = try connection.databaseFile()
        // Opens the log and its index, and recovers it where a process has died.
        try connection.beginRead()
        connection.endRead()
        guard let text = try connection.scalar("PRAGMA page_size"), let byteCount = Int(text),
            let size = PageSize(byteCount: byteCount), try connection.scalar("PRAGMA journal_mode") == "wal"
        else {
            throw CaptureError(.notInWALMode, "\(path) is not in WAL mode: it cannot follow.")
        }
        (self.size, pageSize) = (size, byteCount)
        index = WALIndexWriter(file: file)
        do {
            // A descriptor of the log carries no locks.
            log = try FileDescriptor.open(
                FilePath(path.string + "-wal"),
                .readWrite,
                options: [.create, .closeOnExec],
                permissions: [.ownerReadWrite]
            )
        } catch let error as Errno {
            throw FileFailure("opening", FilePath(path.string + "-wal"), error.rawValue)
        }
    }

    deinit {
        if isLocked { try? connection.unlockWriters() }  // the process is the only one that could be told
        try? log.close()  // synced with every commit
    }

    /// Reads something of a database on a connection of its own.
    ///
    /// - Returns: What is wrong; `nil` where it could be read.
    package static func readCheck(_ path: FilePath) throws -> String? {
        guard FileStatus.exists(path) else { return "\(path) does not exist." }
        let connection = try EngineConnection(path: path.string)
        return try connection.scalar("SELECT count(*) FROM sqlite_schema") == nil ? "\(path) has no schema." : nil
    }

    /// Takes SQLite's write lock without waiting, and keeps it until ``unlock()``.
    ///
    /// - Returns: `false` where somebody else writes just now.
    package func lock() throws -> Bool {
        if !isLocked { isLocked = try connection.lockWriters() }
        return isLocked
    }

    /// Gives the write lock back.
    package func unlock() throws {
        guard isLocked else { return }
        try connection.unlockWriters()
        isLocked = false
    }

    /// Whether nobody has committed since the last commit of ours; `false` before the first one.
    package func isUntouched() throws -> Bool {
        guard let left, let now = try index.look() else { return false }
        return now.lastFrame == left.lastFrame && now.checksum == left.checksum && now.salts == left.salts
    }

    /// Takes the present state for one of ours: ``isUntouched()`` tells of commits after it. The write lock is held.
    func noteLook() throws { left = try index.look() }

    /// A look at the log's index; `nil` where a dead writer has left it half-written.
    func look() throws -> WALIndexHeader? { try index.look() }

    /// Commits page images.
    ///
    /// - Parameters:
    ///   - commitSize: The size of the database in pages afterwards.
    ///   - body: Appends the images, ascending; each page once, and at least one.
    /// - Throws: What `body` throws, and then nothing was committed; or a failure of the disk or of SQLite.
    /// - Precondition: The write lock is held.
    package func commit(_ commitSize: UInt32, _ body: (inout PageImages) throws -> Void) throws {
        precondition(isLocked, "a commit needs the write lock")
        guard let before = try index.look() else {
            throw SQLiteFailure(code: 11, text: "the wal-index is not valid", action: "following in \(path)")
        }
        var images = try PageImages(log: log, path: path, index: before, byteOrder: try index.byteOrder(), size: size)
        images.onStep = onStep
        onStep?(.begun)
        try body(&images)
        try images.finish(commitSize)
        onStep?(.synced)
        for (number, page) in images.pages.enumerated() {
            try index.enter(frame: before.lastFrame + UInt32(number) + 1, page: page)
        }
        onStep?(.entered)
        try index.publish(
            lastFrame: before.lastFrame + UInt32(images.pages.count),
            pageCount: commitSize,
            checksum: images.writer.checksum,
            salts: images.writer.salts,
            byteOrder: images.writer.byteOrder,
            pageSize: size
        )
        onStep?(.published)
        left = try index.look()
    }

    /// Copies what readers allow into the database file; with nothing left, gives the log's room back.
    ///
    /// The write lock must not be held: SQLite takes it itself to begin the log anew.
    package func checkpoint() throws {
        guard try checkpointer.checkpointPassive(), !isLocked, let now = try index.look(), now.isBackfilled,
            now.lastFrame > 0
        else { return }
        let wasUntouched = try isUntouched()
        _ = try checkpointer.checkpointRestart(until: .now, truncates: true) { false }
        if wasUntouched { left = try index.look() }
    }
}

/// The steps of a commit, in their order.
package enum CommitStep: String, Sendable, CaseIterable {
    case begun, halfWritten, written, synced, entered, published
}

/// The images of one commit, on their way into the log.
package struct PageImages {
    /// The pages so far, in the order of their frames.
    fileprivate private(set) var pages: [UInt32] = []
    fileprivate private(set) var writer: WALFrameWriter
    fileprivate var onStep: ((CommitStep) -> Void)?

    private let log: FileDescriptor
    private let path: FilePath
    private var offset: Int64
    private var bytes: [UInt8] = []
    /// The last image, whose frame is written once it is known whether it ends the commit.
    private var pending: [UInt8] = []

    private static let blockByteCount = 1 << 20

    fileprivate init(
        log: FileDescriptor,
        path: FilePath,
        index: WALIndexHeader,
        byteOrder: ByteOrder,
        size: PageSize
    ) throws {
        (self.log, self.path) = (log, path)
        guard index.lastFrame == 0 else {
            writer = WALFrameWriter(salts: index.salts, byteOrder: byteOrder, pageSize: size, checksum: index.checksum)
            offset = WALGeometry(pageSize: size).offset(ofFrame: index.lastFrame + 1)
            return
        }
        let salts = WALSalts(first: .random(in: .min ... .max), second: .random(in: .min ... .max))
        writer = WALFrameWriter(newLogIn: &bytes, salts: salts, byteOrder: byteOrder, pageSize: size)
        offset = 0
        // Durable before any frame: else an old header could vouch for what is left of old frames.
        try write()
        try Disk.syncData(log, path)
    }

    /// Appends an image.
    ///
    /// - Parameters:
    ///   - page: Its page, higher than the one before.
    ///   - image: Its bytes, a page's.
    package mutating func append(page: UInt32, image: RawSpan) throws {
        precondition(pages.last.map { $0 < page } ?? (page > 0), "pages come in ascending order")
        try flush(commitSize: 0)
        pages.append(page)
        // SAFETY: the image is only read, during the call.
        unsafe image.withUnsafeBytes { unsafe pending.append(contentsOf: $0) }
    }

    fileprivate mutating func finish(_ commitSize: UInt32) throws {
        precondition(!pages.isEmpty, "a commit has at least one page")
        try flush(commitSize: commitSize)
        if let onStep {
            let rest = Array(bytes[(bytes.count / 2)...])
            bytes.removeLast(rest.count)
            try write()
            onStep(.halfWritten)
            bytes = rest
        }
        try write()
        onStep?(.written)
        try Disk.syncData(log, path)
    }

    private mutating func flush(commitSize: UInt32) throws {
        guard let page = pages.last else { return }
        var image: [UInt8] = []
        swap(&image, &pending)
        unsafe writer.append(page: page, image: image.span.bytes, commitSize: commitSize, to: &bytes)
        image.removeAll(keepingCapacity: true)
        swap(&image, &pending)
        if bytes.count >= Self.blockByteCount { try write() }
    }

    private mutating func write() throws {
        do {
            try log.writeAll(toAbsoluteOffset: offset, bytes)
        } catch let error as Errno {
            throw FileFailure("writing", path, error.rawValue)
        }
        offset += Int64(bytes.count)
        bytes.removeAll(keepingCapacity: true)
    }
}
