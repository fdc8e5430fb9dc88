import SQLiteReplicate
import Synchronization

/// Shows how far a transfer is on standard error: a bar on a terminal, plain lines elsewhere.
final class ProgressPrinter: Sendable {
    private let output: Mutex<ProgressOutput>
    private let start = ContinuousClock.now

    /// - Parameter label: What is transferred.
    init(label: String) {
        let style = Terminal.errorColumns.map { ProgressOutput.Style.terminal(columns: $0) } ?? .plain
        output = Mutex(ProgressOutput(label: label, style: style))
    }

    /// Takes in the state of the transfer; called from any thread.
    func update(_ progress: TransferProgress) {
        let time = ContinuousClock.now - start
        // Written under the lock, so that lines stay whole and in order.
        output.withLock { output in
            if let text = output.update(progress, at: time) { StandardStreams.error(text) }
        }
    }

    /// Clears the bar.
    func finish() {
        output.withLock { output in
            let text = output.finish()
            if !text.isEmpty { StandardStreams.error(text) }
        }
    }
}
