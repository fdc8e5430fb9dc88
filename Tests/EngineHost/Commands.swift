import Dispatch
import Foundation

/// The lines of standard input: `go` for the engine's thread, the others for the main loop.
final class Commands: Sendable {
    let stream: AsyncStream<String>
    private let go = DispatchSemaphore(value: 0)

    init() {
        let (stream, continuation) = AsyncStream<String>.makeStream()
        self.stream = stream
        let go = go
        let thread = Thread {
            while let line = readLine() {
                if line == "go" { go.signal() } else { continuation.yield(line) }
            }
            continuation.finish()
            exit(3)  // The parent is gone; the main loop may be waiting for a thread that waits for `go`.
        }
        thread.name = "commands"
        thread.start()
    }

    /// Waits for the line `go`.
    func waitForGo() { go.wait() }
}
