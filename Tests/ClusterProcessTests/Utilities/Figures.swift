import Foundation
import SystemPackage
import TestSupport
import Testing

/// Times that were measured, and the table of them.
struct Figures {
    private let name: String
    private(set) var seconds: [Double] = []

    init(_ name: String) { self.name = name }

    mutating func add(nanoseconds: Int64) { seconds.append(Double(nanoseconds) / 1e9) }

    /// The value below which this share lies.
    func percentile(_ share: Double) -> Double {
        guard !seconds.isEmpty else { return 0 }
        let sorted = seconds.sorted()
        return sorted[min(sorted.count - 1, Int((Double(sorted.count) * share).rounded(.up)) - 1)]
    }

    var maximum: Double { seconds.max() ?? 0 }

    /// Fails where a share of the times, 1 for all, is longer than a time in seconds.
    ///
    /// Times of debug builds on a busy machine prove nothing: only `FAILOVER_LIMITS=1` compares them.
    func expect(_ share: Double, within limit: Double) {
        guard Environment.number("FAILOVER_LIMITS") == 1 else { return }
        let time = share < 1 ? percentile(share) : maximum
        #expect(time <= limit, "\(name): \(share) of \(seconds.count) within \(time) s, which should be \(limit) s")
    }

    /// Says the figures, and adds them to `.build-tools/failover.txt`.
    func report(_ more: String = "") {
        let figures = [0.5, 0.99].map { String(format: "%.3f", percentile($0)) }
        let line =
            "\(name.padding(toLength: 44, withPad: " ", startingAt: 0)) n=\(seconds.count) p50=\(figures[0]) s "
            + "p99=\(figures[1]) s max=\(String(format: "%.3f", maximum)) s \(more)"
        print(line)
        let folder = PackageRoot.appending(".build-tools")
        let file = folder.appending("failover.txt").string
        // The table is for people; tests do not depend on it.
        try? FileManager.default.createDirectory(atPath: folder.string, withIntermediateDirectories: true)
        let before = (try? String(contentsOfFile: file, encoding: .utf8)) ?? ""
        try? (before + line + "\n").write(toFile: file, atomically: true, encoding: .utf8)
    }
}
