import CProcess
import Foundation
import Logging
import Synchronization

/// One run of a hook: bounded in time, its output logged line by line.
final class HookProcess: Sendable {
    private let command: ProgramCommand
    private let environment: [String: String]
    private let limit: Duration
    private let grace: Duration
    private let logger: Logger
    private let isCancelled = Atomic(false)

    /// How often it is looked whether the hook has ended, where it does not tell by closing its output.
    private static let look: Int32 = 20
    /// So often its output is read when it has ended: more than a pipe holds.
    private static let lastReads = 32
    /// More lines are not logged, nor more characters of one.
    private static let (lineLimit, characterLimit) = (200, 1_000)

    init(
        _ command: ProgramCommand,
        environment: [String: String],
        limit: Duration,
        grace: Duration,
        logger: Logger
    ) {
        (self.command, self.environment, self.limit) = (command, environment, limit)
        (self.grace, self.logger) = (grace, logger)
    }

    /// Runs the hook to its end; a cancelled task ends it.
    func run() async {
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                // A thread of its own: it blocks for seconds, and no pool is to lack one meanwhile.
                let thread = Thread { [self] in
                    work()
                    continuation.resume()
                }
                thread.name = "hook"
                thread.stackSize = 256 << 10
                thread.start()
            }
        } onCancel: {
            isCancelled.store(true, ordering: .relaxed)
        }
    }

    private func work() {
        var ends: [Int32] = [-1, -1]
        // SAFETY: the call fills both elements.
        guard unsafe cprocess_pipe(&ends) == 0 else {
            return logger.error("Hook not run", metadata: ["error": "no pipe"])
        }
        defer { _ = close(ends[0]) }
        let child: AwaitedChild
        do throws(ProgramError) {
            defer { _ = close(ends[1]) }  // the hook has its own copy
            let spawn = ChildSpawn(command: command, environment: environment, output: ends[1])
            child = AwaitedChild(try spawn.start())
        } catch {
            return logger.error("Hook not run", metadata: ["error": "\(error)"])
        }
        let code = attend(child, output: ends[0])
        if code == 0 {
            logger.info("Hook ended")
        } else {
            logger.warning("Hook failed", metadata: ["code": "\(code)"])
        }
    }

    /// Logs what the hook writes until it has ended, by itself or not.
    private func attend(_ child: AwaitedChild, output: Int32) -> Int32 {
        var lines = HookLines(lineLimit: Self.lineLimit, characterLimit: Self.characterLimit)
        var end = ContinuousClock.now + limit
        var (isTold, readsLeft) = (false, Self.lastReads)
        while true {
            let code = child.exitCode
            if code != nil { readsLeft -= 1 }
            // Looked at after the end as well: what it wrote last is there by then. What it has left behind may go on.
            if readsLeft > 0, isReadable(output, within: code == nil ? Self.look : 0), let bytes = bytes(of: output) {
                for line in lines.take(bytes) { logger.info("Hook says", metadata: ["line": "\(line)"]) }
            } else if let code {
                for line in lines.finish() { logger.info("Hook says", metadata: ["line": "\(line)"]) }
                return code
            } else {
                Thread.sleep(forTimeInterval: 0.005)  // it has closed its output, and still runs
            }
            guard child.exitCode == nil else { continue }
            if !isTold, isCancelled.load(ordering: .relaxed) || ContinuousClock.now >= end {
                logger.warning("Hook takes too long and is ended", metadata: ["limit": "\(limit)"])
                child.signal(SIGTERM, toGroup: true)
                (isTold, end) = (true, .now + grace)
            } else if isTold, ContinuousClock.now >= end {
                child.signal(SIGKILL, toGroup: true)
            }
        }
    }

    private func isReadable(_ descriptor: Int32, within milliseconds: Int32) -> Bool {
        var polled = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
        // SAFETY: one element, as is told.
        _ = unsafe poll(&polled, 1, milliseconds)
        return polled.revents & Int16(POLLIN) != 0
    }

    /// What is there to be read; `nil` at the end.
    private func bytes(of descriptor: Int32) -> ArraySlice<UInt8>? {
        var bytes = [UInt8](repeating: 0, count: 4096)
        // SAFETY: it writes into the array, at most its size.
        let count = unsafe read(descriptor, &bytes, bytes.count)
        return count > 0 ? bytes[..<count] : nil
    }
}

/// Cuts what a hook writes into lines, few and short ones.
struct HookLines {
    let lineLimit: Int
    let characterLimit: Int
    private var line: [UInt8] = []
    private var count = 0

    init(lineLimit: Int, characterLimit: Int) { (self.lineLimit, self.characterLimit) = (lineLimit, characterLimit) }

    /// Takes bytes in. Returns the lines that are complete.
    mutating func take(_ bytes: some Sequence<UInt8>) -> [String] {
        var lines: [String] = []
        for byte in bytes {
            if byte == UInt8(ascii: "\n") {
                lines += finish()
            } else if line.count <= characterLimit {
                line.append(byte)
            }
        }
        return lines
    }

    /// The line that has no end.
    mutating func finish() -> [String] {
        defer { line = [] }
        guard !line.isEmpty, count <= lineLimit else { return [] }
        count += 1
        guard count <= lineLimit else { return ["… (the rest is left out)"] }
        return [String(decoding: line.prefix(characterLimit), as: UTF8.self) + (line.count > characterLimit ? "…" : "")]
    }
}
