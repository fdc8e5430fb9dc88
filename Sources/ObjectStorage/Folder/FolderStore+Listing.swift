import SystemPackage

#if canImport(Darwin)
    import Darwin
#elseif canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

extension FolderStore {
    /// All objects under a prefix, in byte order of their keys. Blocks.
    func entries(prefix: String) throws(ObjectStoreError) -> [ObjectInfo] {
        let (key, path) = try folder(ofPrefix: prefix)
        var found: [ObjectInfo] = []
        try collect(folder: path, key: key, prefix: prefix, isRoot: true, into: &found)
        // Not folder by folder: 'a.b' comes before 'a/b', whose folder is 'a'.
        found.sort { $0.key.utf8.lexicographicallyPrecedes($1.key.utf8) }
        return found
    }

    /// Removes what a crash left: names ending in `.tmp` under `prefix` that have not been written to for `age`.
    ///
    /// A put under way writes to its file all the time, so an age of an hour is on the safe side.
    ///
    /// - Returns: The number of files removed.
    @discardableResult
    public func removeLeftovers(under prefix: String, olderThan age: Duration) async throws(ObjectStoreError) -> Int {
        try await threadPool.run { () throws(ObjectStoreError) in
            let (_, path) = try self.folder(ofPrefix: prefix)
            return try self.removeLeftovers(folder: path, changedBefore: Timestamp.now.advanced(by: .zero - age))
        }
    }

    private func collect(
        folder: FilePath,
        key: String,
        prefix: String,
        isRoot: Bool,
        into found: inout [ObjectInfo]
    ) throws(ObjectStoreError) {
        for name in try names(in: folder) {
            let key = key + name
            // Only the outermost folder can hold names that do not match: those below it lie under the whole prefix.
            guard !isRoot || key.hasPrefixBytes(prefix) || prefix.hasPrefixBytes(key + "/") else { continue }
            let path = folder.appending(name)
            let status: Stat
            do throws(Errno) {
                status = try path.stat(followTargetSymlink: false)
            } catch {
                // Deleted since the folder was read.
                if error == .noSuchFileOrDirectory { continue }
                throw .file("Listing", path, error)
            }
            if status.type == .directory {
                try collect(folder: path, key: key + "/", prefix: prefix, isRoot: false, into: &found)
            } else if status.type == .regular, !name.hasSuffix(Self.temporarySuffix) {
                found.append(ObjectInfo(key: key, status: status))
            }
        }
    }

    private func removeLeftovers(folder: FilePath, changedBefore limit: Timestamp) throws(ObjectStoreError) -> Int {
        var count = 0
        for name in try names(in: folder) {
            let path = folder.appending(name)
            guard let status = try? path.stat(followTargetSymlink: false) else { continue }
            if status.type == .directory {
                count += try removeLeftovers(folder: path, changedBefore: limit)
            } else if status.type == .regular, name.hasSuffix(Self.temporarySuffix), status.changed < limit {
                do throws(Errno) {
                    // SAFETY: the path's characters live across the call.
                    try OpenFile.call { unsafe path.withPlatformString { unsafe unlink($0) } }
                    count += 1
                } catch {
                    if error != .noSuchFileOrDirectory { throw .file("Removing", path, error) }
                }
            }
        }
        return count
    }

    /// The names in a folder, in no order; none where there is no such folder. Names that are not UTF-8 are no keys.
    private func names(in folder: FilePath) throws(ObjectStoreError) -> [String] {
        // SAFETY: the stream is closed below, and used by this function alone; an entry is copied out of it before the
        // next one is read; `d_name` ends with a zero byte within the entry.
        guard let stream = unsafe folder.withPlatformString({ unsafe opendir($0) }) else {
            let code = Errno(rawValue: errno)
            if code == .noSuchFileOrDirectory || code == .notDirectory { return [] }
            throw .file("Listing", folder, code)
        }
        defer { unsafe closedir(stream) }
        var names: [String] = []
        while true {
            errno = 0
            guard let entry = unsafe readdir(stream) else {
                guard errno == 0 else { throw .file("Listing", folder, Errno(rawValue: errno)) }
                return names
            }
            let offset = MemoryLayout<dirent>.offset(of: \.d_name) ?? 0
            let start = unsafe UnsafeRawPointer(entry).advanced(by: offset).assumingMemoryBound(to: CChar.self)
            if let name = unsafe String(validatingCString: start), name != ".", name != ".." { names.append(name) }
        }
    }
}

extension ObjectInfo {
    init(key: String, status: Stat, version: ObjectVersion? = nil) {
        self.init(key: key, byteCount: status.size, modified: status.modified, version: version)
    }
}

extension Stat {
    /// When the content was last changed, or set to have been, rounded down to the millisecond.
    var modified: Timestamp { Timestamp(seconds: Int64(st_mtim.tv_sec), nanoseconds: Int64(st_mtim.tv_nsec)) }

    /// When anything about the file was last changed, to the millisecond.
    var changed: Timestamp { Timestamp(seconds: changeTime.seconds, nanoseconds: changeTime.nanoseconds) }

    /// When anything about the file was last changed, which no program can set.
    var changeTime: (seconds: Int64, nanoseconds: Int64) { (Int64(st_ctim.tv_sec), Int64(st_ctim.tv_nsec)) }
}

extension String {
    /// Whether the UTF-8 of this text begins with that of `prefix`, with no regard to canonical equivalence.
    func hasPrefixBytes(_ prefix: String) -> Bool { utf8.starts(with: prefix.utf8) }
}
