import LTX

/// A set of transactions, kept as ranges that neither overlap nor touch.
struct TransactionCoverage: Hashable, Sendable {
    private(set) var ranges: [ClosedRange<UInt64>] = []

    /// Creates the union of ranges.
    init(_ ranges: some Sequence<ClosedRange<TransactionID>>) {
        let sorted = ranges.map { $0.lowerBound.rawValue...$0.upperBound.rawValue }
            .sorted { $0.lowerBound < $1.lowerBound }
        for range in sorted {
            if let last = self.ranges.last, range.lowerBound - 1 <= last.upperBound {
                self.ranges[self.ranges.count - 1] = last.lowerBound...max(last.upperBound, range.upperBound)
            } else {
                self.ranges.append(range)
            }
        }
    }

    /// Whether every transaction of `range` is in the set.
    func covers(_ range: ClosedRange<TransactionID>) -> Bool {
        var (low, high) = (0, ranges.count)
        while low < high {
            let middle = (low + high) / 2
            if ranges[middle].upperBound < range.lowerBound.rawValue { low = middle + 1 } else { high = middle }
        }
        guard low < ranges.count else { return false }
        return ranges[low].lowerBound <= range.lowerBound.rawValue
            && range.upperBound.rawValue <= ranges[low].upperBound
    }

    /// The transactions above `position` and below the set's highest one that are not in the set.
    func gaps(above position: UInt64) -> [ClosedRange<TransactionID>] {
        var gaps: [ClosedRange<TransactionID>] = []
        var end = position
        for range in ranges where range.upperBound > end {
            if range.lowerBound - 1 > end {
                gaps.append(TransactionID(rawValue: end + 1)...TransactionID(rawValue: range.lowerBound - 1))
            }
            end = range.upperBound
        }
        return gaps
    }
}
