import Foundation
import SystemPackage
import TestSupport

#if canImport(Darwin)
    import Darwin
#elseif canImport(Glibc)
    import Glibc
#endif

/// A program to be guarded: a shell script that notes its process, the signals it gets, and when.
struct GuardedScript {
    let folder: FilePath
    /// What it has noted.
    var notes: FilePath { folder.appending("notes") }

    /// The words that run the script.
    ///
    /// - Parameters:
    ///   - onSignal: What it does when it gets a signal, beside noting it; nothing by default.
    ///   - before: What it does before it waits for ever.
    func words(onSignal: String = "", before: String = "") throws -> [String] {
        let script = """
            note() { read up rest < /proc/uptime; echo "$1 $up" >> "$0.notes"; \(onSignal.isEmpty ? ":" : onSignal); }
            for signal in TERM INT HUP USR1; do trap "note $signal" $signal; done
            \(before)
            echo "process $$" >> "$0.notes"
            while :; do sleep 0.02; done
            """.replacing("$0.notes", with: notes.string)
        let path = folder.appending("script.sh")
        try script.write(toFile: path.string, atomically: true, encoding: .utf8)
        return ["sh", path.string]
    }

    /// The lines that it has written so far.
    var lines: [String] {
        ((try? String(contentsOfFile: notes.string, encoding: .utf8)) ?? "").split(separator: "\n").map(String.init)
    }

    /// When it noted a signal first, in nanoseconds since the boot, to the hundredth of a second.
    func moment(of signal: String) -> Int64? {
        let line = lines.first { $0.hasPrefix("\(signal) ") }
        return line.flatMap { Double($0.dropFirst(signal.count + 1)) }.map { Int64($0 * 1e9) }
    }

    /// The process, once it has begun to wait.
    func process() async throws -> Int32 {
        try await eventually("the script runs") { lines.contains { $0.hasPrefix("process ") } }
        return lines.first { $0.hasPrefix("process ") }.flatMap { Int32($0.dropFirst(8)) } ?? 0
    }
}

/// Nanoseconds of the clock that also counts while the host sleeps.
func bootTime() -> Int64 {
    var time = timespec()
    clock_gettime(CLOCK_BOOTTIME, &time)
    return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
}
