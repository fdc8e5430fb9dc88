import Synchronization
import SystemPackage

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// What the kernel says of locks on a file. Linux only; elsewhere nothing is known.
///
/// POSIX drops all of a process's locks on a file when any descriptor of it is closed. If somebody in this process opens
/// and closes the database or its `-shm` by himself, SQLite's locks are gone and SQLite does not know.
enum ProcessLocks {
    /// The bytes of a `-shm` file on which readers hold their locks (READ0 … READ4).
    static let readers: ClosedRange<Int64> = 123...127
    /// The bytes of a database file on which every connection that reads holds a lock (SHARED).
    static let shared: ClosedRange<Int64> = 0x4000_0002...0x4000_01ff

    /// The descriptors of this process that stand for a file; `nil` where the kernel does not tell.
    static func descriptors(of file: FileIdentity) -> [Int32]? { look().map { $0[file] ?? [] } }

    /// What each file's descriptors were when they were last looked through: where a lock is found among them, nothing
    /// has to be looked through. A process that replicates many databases has many descriptors.
    private static let seen = Mutex<[FileIdentity: [Int32]]>([:])

    /// Looks through all descriptors of this process.
    private static func look() -> [FileIdentity: [Int32]]? {
        #if os(Linux)
            guard let names = try? Disk.names(in: "/proc/self/fd"), !names.isEmpty else { return nil }
            var found: [FileIdentity: [Int32]] = [:]
            for number in names.compactMap(Int32.init) {
                // One that was closed meanwhile stands for nothing.
                guard let file = try? FileIdentity(of: FileDescriptor(rawValue: number)) else { continue }
                found[file, default: []].append(number)
            }
            return found
        #else
            return nil
        #endif
    }

    /// Whether this process holds a lock on some of `bytes` of a file; `nil` where the kernel does not tell.
    static func isHeld(_ bytes: ClosedRange<Int64>, of file: FileIdentity) -> Bool? {
        let known = seen.withLock { $0[file] ?? [] }.filter { number in
            (try? FileIdentity(of: FileDescriptor(rawValue: number))) == file
        }
        if known.contains(where: { holds($0, bytes) == true }) { return true }
        guard let found = look() else { return nil }
        seen.withLock { $0 = found }
        let descriptors = found[file] ?? []
        let answers = descriptors.compactMap { holds($0, bytes) }
        if answers.contains(true) { return true }
        return descriptors.isEmpty || !answers.isEmpty ? false : nil
    }

    /// Whether a lock on some of `bytes` was taken through a descriptor; `nil` where the kernel does not tell.
    private static func holds(_ descriptor: Int32, _ bytes: ClosedRange<Int64>) -> Bool? {
        guard let text = contents(of: FilePath("/proc/self/fdinfo/\(descriptor)")) else { return nil }
        return text.split(separator: "\n").contains { line in
            line.hasPrefix("lock:") && Lock(line.dropFirst(5))?.bytes.overlaps(bytes) ?? false
        }
    }

    /// Whether another process holds a lock on a file, so far as this one may see; `nil` where the kernel does not tell.
    static func othersHold(_ file: FileIdentity) -> Bool? {
        guard let text = contents(of: "/proc/locks") else { return nil }
        let own = getpid()
        return text.split(separator: "\n").contains { line in
            // The device is left out: some file systems tell another one there. At worst a stranger counts.
            guard let lock = Lock(line), lock.inode == file.inode else { return false }
            return lock.process != own
        }
    }

    /// One line of `/proc/locks`: `1: POSIX  ADVISORY  READ 1234 08:01:5678 123 123`.
    private struct Lock {
        let process: Int32
        let inode: UInt64
        let bytes: ClosedRange<Int64>

        init?(_ line: Substring) {
            let words = line.split(whereSeparator: { $0 == " " || $0 == "\t" })
            guard words.count >= 8, !words.contains("->"), let process = Int32(words[4]),
                let inode = words[5].split(separator: ":").last.flatMap({ UInt64($0) }), let first = Int64(words[6])
            else { return nil }
            let last = Int64(words[7]) ?? .max
            guard first <= last else { return nil }
            (self.process, self.inode, bytes) = (process, inode, first...last)
        }
    }

    private static func contents(of path: FilePath) -> String? {
        guard let bytes = (try? Disk.contents(of: path, limit: 4 << 20)) ?? nil else { return nil }
        return String(decoding: bytes, as: UTF8.self)
    }
}
