import Foundation

/// The lines of standard input.
final class HostCommands: Sendable {
    let stream: AsyncStream<String>

    init() {
        let (stream, continuation) = AsyncStream<String>.makeStream()
        self.stream = stream
        let thread = Thread {
            while let line = readLine() { continuation.yield(line) }
            exit(3)  // The parent is gone.
        }
        thread.name = "commands"
        thread.start()
    }
}
