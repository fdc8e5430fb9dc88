import Testing

@testable import SQLiteReplicate

/// An output that can be asked within an expectation.
private final class Shown {
    private var output: ProgressOutput

    init(label: String, style: ProgressOutput.Style) { output = ProgressOutput(label: label, style: style) }

    func update(_ progress: TransferProgress, at time: Duration) -> String? { output.update(progress, at: time) }
    func finish() -> String { output.finish() }
}

@Suite struct ProgressOutputTests {
    private static let total: Int64 = 512_000_000

    private func progress(_ done: Int64) -> TransferProgress {
        TransferProgress(doneBytes: done, totalBytes: Self.total)
    }

    @Test("A terminal gets a bar with bytes, rate and time left, redrawn in place")
    func bar() throws {
        let output = Shown(label: "app.db", style: .terminal(columns: 100))
        #expect(output.update(progress(0), at: .milliseconds(500)) == nil)
        let first = try #require(output.update(progress(128_000_000), at: .seconds(2)))
        #expect(
            first == "\rapp.db  [#######" + String(repeating: "-", count: 23)
                + "]  25 %, 128 MB of 512 MB, 64 MB/s, 6s left\u{1B}[K"
        )
        #expect(output.update(progress(130_000_000), at: .milliseconds(2050)) == nil)
        #expect(output.update(progress(140_000_000), at: .milliseconds(2100)) != nil)
        #expect(output.finish() == "\r\u{1B}[K")
        #expect(output.finish() == "")
    }

    @Test("A file or pipe gets a plain line every ten seconds")
    func plain() throws {
        let output = Shown(label: "app.db", style: .plain)
        #expect(output.update(progress(10), at: .seconds(9)) == nil)
        #expect(
            output.update(progress(256_000_000), at: .seconds(10))
                == "app.db: 50 %, 256 MB of 512 MB, 26 MB/s, 10s left\n"
        )
        #expect(output.update(progress(300_000_000), at: .seconds(19)) == nil)
        let last = try #require(output.update(progress(Self.total), at: .seconds(20)))
        #expect(last.hasPrefix("app.db: 100 %, 512 MB of 512 MB, "))
        #expect(!last.contains("left"))
        #expect(output.finish() == "")
    }

    @Test("What is over within a second shows nothing")
    func short() {
        let output = Shown(label: "x", style: .terminal(columns: 80))
        #expect(output.update(progress(Self.total), at: .milliseconds(999)) == nil)
        #expect(output.finish() == "")
    }

    @Test("Without a total there is no share, no bar and no time left")
    func unknownTotal() {
        let output = Shown(label: "x", style: .terminal(columns: 80))
        #expect(output.update(TransferProgress(doneBytes: 3_000_000), at: .seconds(3)) == "\rx  3 MB, 1 MB/s\u{1B}[K")
    }

    @Test("A line is always shorter than the terminal is wide", arguments: 1...140)
    func width(_ columns: Int) throws {
        let output = Shown(label: "a-database-with-a-name.db", style: .terminal(columns: columns))
        let text = try #require(output.update(progress(100_000_000), at: .seconds(2)))
        #expect(text.dropFirst().dropLast(3).count < max(columns, 20))
    }

    @Test("Nothing done yet, or nothing to do, is shown without a rate")
    func edges() {
        let output = Shown(label: "x", style: .plain)
        #expect(output.update(progress(0), at: .seconds(10)) == "x: 0 %, 0 B of 512 MB\n")
        #expect(
            output.update(TransferProgress(doneBytes: 0, totalBytes: 0), at: .seconds(20)) == "x: 100 %, 0 B of 0 B\n"
        )
        #expect(TransferProgress(doneBytes: 9, totalBytes: 3).fraction == 1)
        #expect(TransferProgress(doneBytes: -1, totalBytes: 3).fraction == 0)
    }
}

@Suite struct TransferRateTests {
    @Test("The rate is that of the last seconds, not of the whole")
    func window() throws {
        var rate = TransferRate()
        for second in 1...10 { rate.note(Int64(second) * 100, at: .seconds(second)) }
        for second in 11...20 { rate.note(1000 + Int64(second - 10) * 10, at: .seconds(second)) }
        #expect(try #require(rate.bytesPerSecond) == 10)
        #expect(rate.remaining(for: 95) == .seconds(10))
        #expect(rate.remaining(for: 0) == .zero)
        #expect(rate.remaining(for: .max) == nil)
    }

    @Test("A transfer that stands still has no rate")
    func stalled() {
        var rate = TransferRate()
        rate.note(100, at: .seconds(1))
        for second in 2...20 { rate.note(100, at: .seconds(second)) }
        #expect(rate.bytesPerSecond == nil)
        #expect(rate.remaining(for: 5) == nil)
    }

    @Test("Many samples in a short time count as one")
    func spacing() throws {
        var rate = TransferRate()
        for step in 1...100_000 { rate.note(Int64(step), at: .microseconds(step * 10)) }
        #expect(abs(try #require(rate.bytesPerSecond) - 100_000) < 1)
    }
}
