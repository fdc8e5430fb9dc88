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
    static func descriptors(of file: FileIdentity) -> [Int32]? {
        #if os(Linux)
            guard let names = try? Disk.names(in: "/proc/self/fd"), !names.isEmpty else { return nil }
            return names.compactMap { name in
                guard let number = Int32(name),
                    let identity = try? FileIdentity(of: FileDescriptor(rawValue: number)), identity == file
                else { return nil }
                return number
            }
        #else
            return nil
        #endif
    }

    /// Whether this process holds a lock on some of `bytes` of a file; `nil` where the kernel does not tell.
    static func isHeld(_ bytes: ClosedRange<Int64>, of file: FileIdentity) -> Bool? {
        guard let descriptors = descriptors(of: file) else { return nil }
        var hasAnswer = false
        for descriptor in descriptors {
            guard let text = contents(of: FilePath("/proc/self/fdinfo/\(descriptor)")) else { continue }
            hasAnswer = true
            for line in text.split(separator: "\n") where line.hasPrefix("lock:") {
                if let lock = Lock(line.dropFirst(5)), lock.bytes.overlaps(bytes) { return true }
            }
        }
        return hasAnswer || descriptors.isEmpty ? false : nil
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
