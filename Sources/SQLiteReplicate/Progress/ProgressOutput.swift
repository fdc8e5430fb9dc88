/// Decides what to show of a transfer, and when: a bar that is redrawn on a terminal, plain lines elsewhere.
///
/// Pure: time is handed in, and what comes back is to be written as it is.
///
/// ```swift
/// var output = ProgressOutput(label: "app.db", style: .terminal(columns: 80))
/// if let text = output.update(progress, at: elapsed) { standardError.write(text) }
/// standardError.write(output.finish())
/// ```
public struct ProgressOutput: Sendable {
    /// Where the text goes.
    public enum Style: Hashable, Sendable {
        /// A terminal of this width: one line, redrawn at most ten times a second.
        case terminal(columns: Int)
        /// A file or a pipe: a line every ten seconds.
        case plain
    }

    private let label: String
    private let style: Style
    private var rate = TransferRate()
    private var lastShown: Duration?
    private var isBarDrawn = false

    /// Creates the output of one transfer.
    ///
    /// - Parameters:
    ///   - label: What is transferred; stands at the front of each line.
    ///   - style: Where the text goes.
    public init(label: String, style: Style) { (self.label, self.style) = (label, style) }

    /// Takes in the state of the transfer.
    ///
    /// - Parameters:
    ///   - progress: How far the transfer is.
    ///   - time: The time since it began.
    /// - Returns: The text to write now; `nil` where it is not time yet. What takes less than a second shows nothing.
    public mutating func update(_ progress: TransferProgress, at time: Duration) -> String? {
        rate.note(progress.doneBytes, at: time)
        let (first, pause): (Duration, Duration) =
            style == .plain ? (.seconds(10), .seconds(10)) : (.seconds(1), .milliseconds(100))
        guard time >= first, lastShown.map({ time - $0 >= pause }) ?? true else { return nil }
        lastShown = time
        let facts = facts(progress)
        guard case .terminal(let columns) = style else { return "\(label): \(facts)\n" }
        isBarDrawn = true
        let line = Self.fit(label: label, bar: progress.fraction, facts: facts, columns: max(columns, 20))
        return "\r\(line)\u{1B}[K"
    }

    /// The text that ends the output: it clears the bar, where one is drawn.
    public mutating func finish() -> String {
        defer { isBarDrawn = false }
        return isBarDrawn ? "\r\u{1B}[K" : ""
    }

    /// `45 %, 230 MB of 512 MB, 61 MB/s, 5s left`
    private func facts(_ progress: TransferProgress) -> String {
        var parts: [String] = []
        let done = ByteSizeText.format(progress.doneBytes)
        if let total = progress.totalBytes, let fraction = progress.fraction {
            // Rounded down: 100 % is all of it.
            parts = ["\(Int(fraction * 100)) %", "\(done) of \(ByteSizeText.format(total))"]
        } else {
            parts = [done]
        }
        if let speed = rate.bytesPerSecond, speed < 1e18 {
            parts.append("\(ByteSizeText.format(Int64(speed)))/s")
        }
        if let total = progress.totalBytes, let left = rate.remaining(for: total - progress.doneBytes), left > .zero {
            parts.append("\(DurationText.format(left)) left")
        }
        return parts.joined(separator: ", ")
    }

    /// Puts label, bar and facts into one line that is shorter than the terminal is wide; the bar goes first, then the
    /// label, then the end of the facts.
    private static func fit(label: String, bar: Double?, facts: String, columns: Int) -> String {
        let room = columns - 1
        let withoutBar = "\(label)  \(facts)"
        guard withoutBar.count <= room else { return String(facts.prefix(room)) }
        let width = min(room - withoutBar.count - 4, 30)
        guard let bar, width >= 8 else { return withoutBar }
        let filled = Int(Double(width) * bar)
        let cells = String(repeating: "#", count: filled) + String(repeating: "-", count: width - filled)
        return "\(label)  [\(cells)]  \(facts)"
    }
}
