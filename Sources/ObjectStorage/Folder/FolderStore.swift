public import NIOCore
public import NIOPosix
public import SystemPackage

/// An ``ObjectStore`` in a folder of this host: each object is a file, and its key the path below the root.
///
/// A put writes a temporary file beside the object, syncs it, gives it the time of its metadata, renames it and syncs
/// the folder. A crash can leave a name that ends in `.tmp`: such names are never objects
/// (``removeLeftovers(under:olderThan:)``).
///
/// ``PutCondition/ifAbsent`` is atomic against every other writer: the file system makes the name, or says that it is
/// taken. ``PutCondition/ifVersion(_:)`` is atomic against other puts of that kind, of this process and of others,
/// which wait for each other at a lock file; against plain puts and deletes of the same key it is not.
///
/// Each call is one job on a thread pool; its number of threads is the number of calls that go on side by side.
public final class FolderStore: ObjectStore {
    /// Who owns the files and folders that a store creates.
    public struct Owner: Hashable, Sendable {
        /// The user's number.
        public var user: UInt32
        /// The group's number.
        public var group: UInt32

        /// Takes the numbers of a user and a group.
        public init(user: UInt32, group: UInt32) { (self.user, self.group) = (user, group) }
    }

    /// The folder that keys are relative to; created with the first put.
    public let root: FilePath
    /// The mode of new files, whatever the process' umask.
    public let fileMode: FilePermissions
    /// The mode of new folders, whatever the process' umask.
    public let folderMode: FilePermissions
    /// The owner of new files and folders where the process may give them away; `nil`: whoever runs it.
    public let owner: Owner?
    let threadPool: NIOThreadPool

    /// Creates a store; nothing is touched before the first call.
    ///
    /// - Parameters:
    ///   - root: The folder.
    ///   - fileMode: The mode of new files.
    ///   - folderMode: The mode of new folders.
    ///   - owner: The owner of new files and folders; best effort.
    ///   - threadPool: Runs everything, one job a call.
    public init(
        root: FilePath,
        fileMode: FilePermissions = [.ownerReadWrite],
        folderMode: FilePermissions = [.ownerReadWriteExecute],
        owner: Owner? = nil,
        threadPool: NIOThreadPool = .singleton
    ) {
        (self.root, self.fileMode, self.folderMode) = (root, fileMode, folderMode)
        (self.owner, self.threadPool) = (owner, threadPool)
    }

    public var description: String { root.string }

    public var honoursConditions: Bool? { true }

    public func list(prefix: String) async throws(ObjectStoreError) -> [ObjectInfo] {
        try await threadPool.run { () throws(ObjectStoreError) in try self.entries(prefix: prefix) }
    }

    public func head(_ key: String) async throws(ObjectStoreError) -> ObjectInfo {
        let path = try path(of: key)
        return try await threadPool.run { () throws(ObjectStoreError) in try self.information(key: key, path: path) }
    }

    public func get(_ key: String, range: Range<Int64>?) async throws(ObjectStoreError) -> ByteBuffer {
        let path = try path(of: key)
        return try await threadPool.run { () throws(ObjectStoreError) in try self.bytes(of: path, range: range) }
    }

    public func getVersioned(
        _ key: String
    ) async throws(ObjectStoreError) -> (bytes: ByteBuffer, version: ObjectVersion?) {
        let path = try path(of: key)
        return try await threadPool.run { () throws(ObjectStoreError) in try self.versionedBytes(of: path) }
    }

    public func placeForTemporary(_ key: String) async throws(ObjectStoreError) -> FilePath? {
        let path = try path(of: key)
        return try await threadPool.run { () throws(ObjectStoreError) in
            do throws(Errno) {
                try self.createFolder(path.removingLastComponent())
            } catch {
                throw .file("Creating the folder of", path, error)
            }
            return FolderWriter.temporaryName(for: path)
        }
    }

    public func download(_ key: String, to file: FilePath) async throws(ObjectStoreError) -> Int64 {
        let path = try path(of: key)
        return try await threadPool.run { () throws(ObjectStoreError) in try self.copy(path, to: file) }
    }

    @discardableResult
    public func put(
        _ key: String,
        _ body: ObjectBody,
        metadata: ObjectMetadata,
        condition: PutCondition
    ) async throws(ObjectStoreError) -> ObjectVersion? {
        let writer = FolderWriter(store: self, path: try path(of: key), body: body, timestamp: metadata.timestamp)
        let deadline = ContinuousClock.now.advanced(by: Self.lockTimeout)
        while true {
            let version = try await threadPool.run { () throws(ObjectStoreError) in try writer.put(condition) }
            if let version { return version }
            guard ContinuousClock.now < deadline else { throw .locked(writer.path) }
            do {
                // Not on the thread pool, where others have work to do.
                try await Pause.sleep(for: .milliseconds(Int.random(in: 1...5)))
            } catch {
                throw ObjectStoreError(.cancelled, "Storing '\(writer.path)': the task was cancelled.", cause: error)
            }
        }
    }

    /// The longest wait for other writers that compare and swap the same object; each needs as long as a put.
    private static let lockTimeout = Duration.seconds(10)

    public func delete(_ keys: [String]) async throws(ObjectStoreError) {
        var paths: [FilePath] = []
        for key in keys { paths.append(try path(of: key)) }
        guard !paths.isEmpty else { return }
        try await threadPool.run { [paths] () throws(ObjectStoreError) in try self.remove(paths) }
    }

    public func localFile(_ key: String) -> FilePath? { try? path(of: key) }
}
