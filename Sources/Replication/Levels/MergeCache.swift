import LTX
public import SystemPackage

/// Keeps merged files on this host until the level above has taken them in, so that they need not be fetched for it.
///
/// Only worth while for a distant store. The files are a convenience: a merge that finds one of them damaged fetches
/// instead. All methods block.
public struct MergeCache: Sendable {
    /// The folder; created when the first file is kept.
    public let folder: FilePath
    /// How many bytes are kept at most; what does not fit is not kept.
    public let byteLimit: Int64

    /// Creates a cache, or takes up one that an earlier process left.
    public init(folder: FilePath, byteLimit: Int64 = 256 << 20) { (self.folder, self.byteLimit) = (folder, byteLimit) }

    /// The kept file of a level and range.
    func path(level: Int, min: TransactionID, max: TransactionID) -> FilePath? {
        let path = place(level: level, LTXFileName(min: min, max: max))
        // What cannot be looked at is fetched.
        return (try? FileStatus(path: path)) == nil ? nil : path
    }

    /// Keeps a complete local file, by giving it another name. Best effort.
    ///
    /// - Returns: Whether it was kept.
    func keep(_ local: FilePath, as file: ReplicaFile) -> Bool {
        do {
            try Disk.makeFolders(folder, mode: 0o700)
            guard try byteCount() + file.byteCount <= byteLimit else { return false }
            try Disk.rename(local, to: place(level: file.level, LTXFileName(min: file.min, max: file.max)))
            return true
        } catch { return false }
    }

    /// Removes files that a level above has taken in, and those of a level that end before. Best effort.
    func drop(through last: TransactionID, level: Int) {
        for name in (try? Disk.names(in: folder)) ?? [] {
            guard let (kept, range) = Self.parse(name), kept == level, range.max <= last else { continue }
            try? Disk.remove(folder.appending(name))
        }
    }

    private func byteCount() throws -> Int64 {
        try Disk.names(in: folder).reduce(0) { try $0 + (FileStatus(path: folder.appending($1))?.byteCount ?? 0) }
    }

    private func place(level: Int, _ name: LTXFileName) -> FilePath { folder.appending("\(level)-\(name)") }

    private static func parse(_ name: String) -> (level: Int, range: LTXFileName)? {
        guard let dash = name.firstIndex(of: "-"), let level = Int(name[..<dash]),
            let range = LTXFileName(String(name[name.index(after: dash)...]))
        else { return nil }
        return (level, range)
    }
}
