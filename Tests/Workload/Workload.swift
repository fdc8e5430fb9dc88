import Foundation
import SystemPackage
import TestDatabases
import TestSupport

#if canImport(Darwin)
    import Darwin
#elseif canImport(Glibc)
    import Glibc
#endif

/// An application of its own process, for tests in which others use the database too.
///
///     workload DB KIND SEED RATE
///
/// KIND is `writer`, `plain` (a writer that never checkpoints), `opener` (opens, writes, closes), `checkpointer` (every
/// mode in turn), `reader` (overlapping read transactions) or `vacuum`. RATE is the most it does in a second, 0: no
/// limit. It makes the database if there is none, says `ready` after its first round, and ends with its parent, or on
/// SIGTERM with a line `commits=N failures=N worst_ms=N`. Writes that fail are told on standard error.
@main
struct Workload {
    static func main() throws {
        let arguments = CommandLine.arguments
        guard arguments.count == 5, let kind = Player.Kind(rawValue: arguments[2]), let seed = UInt64(arguments[3]),
            let rate = Double(arguments[4]), rate >= 0
        else {
            let kinds = Player.Kind.allCases.map(\.rawValue).joined(separator: "|")
            FileHandle.standardError.write(Data("usage: workload DB \(kinds) SEED RATE\n".utf8))
            exit(64)
        }
        let stop = StopSignal()
        let player = try Player(kind, database: FilePath(arguments[1]), seed: seed)
        var isFirst = true
        while !stop.isDue {
            try player.round()
            if isFirst { say("ready") }
            isFirst = false
            if rate > 0 { usleep(UInt32(1e6 / rate)) }
        }
        player.close()
        say("commits=\(player.commits) failures=\(player.failures) worst_ms=\(player.worst.milliseconds)")
    }

    static func say(_ line: String) { FileHandle.standardOutput.write(Data("\(line)\n".utf8)) }
}

/// Tells when to stop: on SIGTERM, which is kept pending, and when the parent is gone.
struct StopSignal {
    private let parent = getppid()

    init() {
        // SAFETY: a signal set is plain storage that these calls fill and read.
        var signals = sigset_t()
        unsafe sigemptyset(&signals)
        unsafe sigaddset(&signals, SIGTERM)
        unsafe sigprocmask(SIG_BLOCK, &signals, nil)
    }

    var isDue: Bool {
        // SAFETY: as above.
        var pending = sigset_t()
        unsafe sigpending(&pending)
        return unsafe sigismember(&pending, SIGTERM) == 1 || getppid() != parent
    }
}

extension Duration {
    /// Whole milliseconds.
    var milliseconds: Int64 { components.seconds * 1000 + components.attoseconds / 1_000_000_000_000_000 }
}
