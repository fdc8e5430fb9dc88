import Foundation
import Replication
import SystemPackage
import TestDatabases
import TestSupport

#if canImport(Darwin)
    import Darwin
#elseif canImport(Glibc)
    import Glibc
#endif

/// A capture engine in a process of its own, for tests that kill, stop or slow it at chosen moments.
///
///     engine-host DB [KEY=VALUE ...]
///     engine-host DB role=checkpointer          no engine: a PASSIVE checkpoint for each line `go`
///     engine-host DB role=follower …            no engine: commits page images
///
///     soft=FRAMES limit=BYTES spool=BYTES interval-ms=MS poll-ms=MS  how the engine is set
///     known=1            a store is there that takes every file at once
///     variant=NAME       a rule of the protocol left out
///     app=SEED           an application writes in this very process too
///     point=NAME,...     at these fault points (all by default) ...
///     kill-at=K          ... the process is killed at the K-th passing
///     stretch=SEED       ... it waits up to 30 ms
///     stop-at=K          ... it stops itself (SIGSTOP) at the K-th passing
///     ask-at=K           ... it says `at NAME` from the K-th passing on, and waits for a line `go`
///     asks=N             so many times (1)
///     close-raw=K        ... from the K-th move on it opens and closes the -shm file by itself
///     act=w|t|r          ... an application in this process commits, truncates the WAL, begins to read
///
/// Each event is a line. Commands are lines on standard input: `flush` answers `flushed ID` (or `copying`), `status`,
/// `go`, `stop` (detaches, and ends). When the input ends, the parent is gone: the process ends at once.
@main
struct EngineHost {
    static func main() async throws {
        // SIGPIPE would end this process before it could tell why; writes tell it.
        signal(SIGPIPE, SIG_IGN)
        if CommandLine.arguments.count > 2, CommandLine.arguments[2] == "role=checkpointer" {
            return try HostCheckpointer.run(FilePath(CommandLine.arguments[1]))
        }
        if CommandLine.arguments.count > 2, CommandLine.arguments[2] == "role=follower" {
            return try HostFollower.run(FilePath(CommandLine.arguments[1]), Array(CommandLine.arguments.dropFirst(3)))
        }
        let options = try HostOptions(Array(CommandLine.arguments.dropFirst()))
        let commands = Commands()
        let application = try options.application.map { try HostApplication(options.database, seed: $0) }
        let faults = HostFaults(options, commands: commands, application: application)
        var settings = options.settings
        if options.application != nil {
            settings.isInProcess = true
            settings.applicationCanWrite = { application?.canWrite() ?? false }
        }
        settings.faultPoint = { faults.reached($0) }
        let shipping = HostShipping()
        let engine = CaptureEngine(
            settings: settings,
            notifier: ChangeNotifier(),
            onEvent: { say(HostText.line(for: $0)) },
            onClosed: { shipping.signal() }
        )
        application?.start()
        try await attach(engine)
        if options.isStoreKnown {
            await engine.storeIsKnown(shippedThrough: nil)
            shipping.start(engine)
        }
        for await command in commands.stream {
            switch command {
            case "flush": await flush(engine)
            case "status": say(HostText.line(for: await engine.status()))
            case "stop":
                application?.stop()
                do {
                    try await engine.detach()
                    say("detached")
                } catch {
                    say("detach-failed \(error)")
                }
                say(HostText.line(for: await engine.status()))
                if let application { say("application \(application.summary)") }
                exit(0)
            default: say("unknown command \(command)")
            }
        }
        exit(3)  // The parent is gone.
    }

    /// Attaches; waits as a program would where the database is busy, missing, or the disk is full.
    private static func attach(_ engine: CaptureEngine) async throws {
        while true {
            do {
                try await engine.attach()
                return say("attached")
            } catch let error as CaptureError {
                say("not-attached \(error.code): \(error)")
                guard [.databaseBusy, .noDatabase, .diskFull, .fileSystem].contains(error.code) else { exit(2) }
                try await Task.sleep(for: .milliseconds(50))
            }
        }
    }

    private static func flush(_ engine: CaptureEngine) async {
        do {
            say(try await engine.flush().map { "flushed \($0)" } ?? "copying")
        } catch {
            say("flush-failed \(error)")
        }
    }
}

/// Writes one line to standard output.
func say(_ line: String) {
    let text = line.split(separator: "\n").joined(separator: " ") + "\n"
    FileHandle.standardOutput.write(Data(text.utf8))
}
