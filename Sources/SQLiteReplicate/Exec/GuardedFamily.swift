import CProcess
import SystemPackage

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// A guarded program and all that it has started, as far as this process can know: its group, and on Linux also what has
/// left the group, since orphans become children of the guard.
struct GuardedFamily {
    /// The program, also the number of its process group; `nil` before it was started.
    private(set) var program: pid_t?
    /// Whether the program itself was awaited: from then on the number may be another's.
    private var isReaped = false

    /// Starts the program.
    ///
    /// - Throws: `Errno` where the system does not run it.
    mutating func start(_ command: ProgramCommand) throws(Errno) {
        // SAFETY: each copy is freed below, after the only use of the vector; the vector ends in nil.
        var vector: [UnsafeMutablePointer<CChar>?] = unsafe command.words.map { unsafe strdup($0) } + [nil]
        defer { unsafe vector.forEach { unsafe free($0) } }
        let child = unsafe cprocess_start_guarded(vector[0], &vector)
        guard child > 0 else { throw Errno(rawValue: errno) }
        program = child
    }

    /// Sends a signal to all of them.
    func signal(_ signal: Int32) {
        guard let program else { return }
        if !isReaped { _ = kill(-program, signal) }
        // Children that were not awaited keep their numbers, and that of their group.
        var isGroupDone = !isReaped
        for child in Self.children() where child != program || isReaped {
            if getpgid(child) == program {
                if !isGroupDone { _ = kill(-program, signal) }
                isGroupDone = true
            } else {
                _ = kill(child, signal)
            }
        }
    }

    /// Awaits those that have ended.
    ///
    /// - Returns: The program's exit code, if it was among them, and whether any other one still runs.
    mutating func reap() -> (code: Int32?, othersRun: Bool) {
        var code: Int32?
        while true {
            var status: Int32 = 0
            // SAFETY: `status` outlives the call.
            let child = unsafe waitpid(-1, &status, WNOHANG)
            if child < 0, errno == EINTR { continue }
            guard child > 0 else { return (code, child == 0) }
            if child == program, !isReaped {
                isReaped = true
                let signal = status & 0x7f
                code = signal == 0 ? (status >> 8) & 0xff : 128 + signal
            }
        }
    }

    /// This process's children, where the system tells of them.
    private static func children() -> [pid_t] {
        #if os(Linux)
            var found: [pid_t] = []
            guard let tasks = unsafe opendir("/proc/self/task") else { return [] }
            defer { unsafe closedir(tasks) }
            while let entry = unsafe readdir(tasks) {
                // SAFETY: d_name is a C string within the entry, which lives until the next readdir.
                let name = unsafe withUnsafePointer(to: &entry.pointee.d_name) {
                    unsafe $0.withMemoryRebound(to: CChar.self, capacity: 256) { unsafe String(cString: $0) }
                }
                guard Int32(name) != nil else { continue }
                found += numbers(in: FilePath("/proc/self/task/\(name)/children"))
            }
            return found
        #else
            return []
        #endif
    }

    private static func numbers(in path: FilePath) -> [pid_t] {
        guard let file = try? FileDescriptor.open(path, .readOnly, options: .closeOnExec) else { return [] }
        defer { try? file.close() }  // only read
        var (text, block): ([UInt8], [UInt8]) = ([], [UInt8](repeating: 0, count: 4096))
        // SAFETY: `read` fills at most the buffer, and what it filled is taken.
        while let count = unsafe try? block.withUnsafeMutableBytes({ unsafe try file.read(into: $0) }), count > 0 {
            text += block[..<count]
        }
        return String(decoding: text, as: UTF8.self).split(separator: " ").compactMap { pid_t($0) }
    }
}
