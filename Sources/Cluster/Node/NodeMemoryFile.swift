import ObjectStorage
package import Replication
package import SystemPackage

/// A node's own file, `cluster.json` in the metadata folder of its database.
///
/// Every call blocks on the disk. One process at a time changes it, the node itself; others may create it and read it.
package struct NodeMemoryFile: Sendable {
    /// What was found when the file was read.
    package enum Origin: Hashable, Sendable {
        /// This very node's.
        case known
        /// There was none: a new node.
        case new
        /// It is a copy of another node's, made there or on another machine: a new node, which has promised nothing.
        case copied(from: NodeID)
    }

    /// No such file is larger.
    static let limit = 64 << 10

    /// The file.
    package let path: FilePath
    private let folder: MetadataFolder
    private let machine: String

    /// Takes the metadata folder of the database; nothing is made yet.
    package init(_ folder: MetadataFolder) { self.init(folder, machine: Machine.id) }

    init(_ folder: MetadataFolder, machine: String) {
        (self.folder, self.machine) = (folder, machine)
        path = folder.root.appending("cluster.json")
    }

    /// Reads which node this is. Where there is none, or a copy of another one's, it becomes a new one, durably.
    ///
    /// - Throws: ``NodeMemoryError`` where the file is damaged, or the disk refuses.
    package func load() throws(NodeMemoryError) -> (identity: NodeIdentity, origin: Origin) {
        try doing {
            try Disk.makeFolders(folder.root, mode: folder.folderMode)
            let place = try place()
            guard let identity = try read() else {
                let new = NodeIdentity.new(at: place)
                if try create(new) { return (new, .new) }
                // Another process was faster.
                guard let identity = try read() else {
                    throw FileFailure("reading", path, Errno.noSuchFileOrDirectory.rawValue)
                }
                return (identity, .known)
            }
            guard identity.belongs(to: place) else {
                // Its own promises and epochs are the other node's; the cluster stays the one of this database.
                let new = NodeIdentity.new(at: place, cluster: identity.cluster)
                try write(new)
                return (new, .copied(from: identity.node))
            }
            return (identity, .known)
        }
    }

    /// Reads which node this is, and makes nothing; `nil` where there is none.
    package func peek() throws(NodeMemoryError) -> NodeIdentity? {
        try doing { try read() }
    }

    /// Makes this durable.
    ///
    /// - Throws: ``NodeMemoryError`` where the disk refuses; the old content stands then.
    package func save(_ identity: NodeIdentity) throws(NodeMemoryError) {
        try doing { try write(identity) }
    }

    /// Makes sure that no other process is this node, or changes its file, until the returned value goes.
    ///
    /// - Throws: ``NodeMemoryError`` with ``NodeMemoryError/isInUse`` where another process is.
    package func lock() throws(NodeMemoryError) -> EngineLock {
        do {
            try Disk.makeFolders(folder.root, mode: folder.folderMode)
            return try EngineLock(folder.root.appending("cluster.lock"), mode: folder.fileMode)
        } catch {
            guard let failure = error as? FileFailure, failure.errno == .wouldBlock else {
                throw NodeMemoryError("\(error): the node cannot go on without its own file.")
            }
            throw NodeMemoryError(
                "Another process is the node of '\(folder.root)': stop that one first.",
                isInUse: true
            )
        }
    }

    // MARK: - Files

    private func read() throws -> NodeIdentity? {
        guard let bytes = try Disk.contents(of: path, limit: Self.limit + 1) else { return nil }
        return try NodeIdentity(parsing: bytes)
    }

    private func write(_ identity: NodeIdentity) throws {
        try Disk.replace(path, with: identity.encoded, mode: folder.fileMode, durable: true)
    }

    /// Writes the first one; two processes that begin at once must not become two nodes. Returns whether it was this one.
    private func create(_ identity: NodeIdentity) throws -> Bool {
        let random = String(UInt64.random(in: .min ... .max), radix: 36)
        let temporary = folder.root.appending("cluster.json-\(random).tmp")
        try Disk.replace(temporary, with: identity.encoded, mode: folder.fileMode, durable: true)
        do throws(Errno) {
            try OpenFile.rename(temporary, toUnused: path)
        } catch {
            try? Disk.remove(temporary)  // a few bytes under a name that is never used again
            guard error == .fileExists else { throw FileFailure("creating", path, error.rawValue) }
            return false
        }
        try Disk.syncFolder(folder.root)
        return true
    }

    private func place() throws -> NodeIdentity.Place {
        let (path, inode) = try Disk.place(of: folder.root)
        return NodeIdentity.Place(machine: machine, folder: .init(path: path, inode: inode))
    }

    private func doing<Value>(_ body: () throws -> Value) throws(NodeMemoryError) -> Value {
        do {
            return try body()
        } catch let error as ClusterObjectError {
            throw NodeMemoryError(
                "'\(path)' is damaged: \(error.message) It says which node of the cluster this is, and what that has "
                    + "promised. Put it back, or remove it: this host is a new node then."
            )
        } catch {
            throw NodeMemoryError("\(error): the node cannot go on without its own file.")
        }
    }
}

/// A node's own file cannot be read or written: which one, why, and what to do.
package struct NodeMemoryError: Error, Hashable, Sendable, CustomStringConvertible {
    package let message: String
    /// Whether another process is the node.
    package let isInUse: Bool

    init(_ message: String, isInUse: Bool = false) { (self.message, self.isInUse) = (message, isInUse) }

    package var description: String { message }
}
