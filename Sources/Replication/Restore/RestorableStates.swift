import LTX

/// The states that chains of files lead to, each with the cheapest chain.
///
/// A chain begins with a file from transaction 1; each further file begins at most one transaction after the end of
/// the one before, and ends behind it. Files may overlap and repeat each other, within a level and across levels.
struct RestorableStates {
    /// A state, and the last file of the cheapest chain to it.
    private struct State {
        let end: UInt64
        let cost: Int64
        let file: ReplicaFile
        /// Index of the state that the file continues; `nil` for the empty database.
        let previous: Int?
    }

    /// By ascending ``State/end``.
    private var states: [State] = []

    /// What a request and the opening of a file cost, in bytes read.
    private static let costOfFile: Int64 = 32 << 10
    /// What a file costs that is known to be broken: it is only taken where no way leads around it.
    private static let costOfBrokenFile: Int64 = 1 << 40

    /// Finds the states in one pass over the files by their ends.
    ///
    /// - Complexity: O(*n* log *n*) for *n* files.
    init(_ files: some Sequence<ReplicaFile>) {
        // Of two equal ranges the file of the higher level comes first and wins a tie: it lives longer.
        let sorted = files.sorted {
            ($0.max, $0.min, $1.level, $0.key) < ($1.max, $1.min, $0.level, $1.key)
        }
        // States that nothing later undercuts: ends and costs both ascend. The cheapest state at or behind a
        // position is therefore the first one there.
        var frontier: [Int] = []
        var next = 0
        while next < sorted.count {
            let end = sorted[next].max.rawValue
            var best: State?
            while next < sorted.count, sorted[next].max.rawValue == end {
                let file = sorted[next]
                next += 1
                guard let (previous, base) = cheapestState(before: file, frontier: frontier) else { continue }
                let own = file.isTooShort ? Self.costOfBrokenFile : max(0, min(file.byteCount, 1 << 40))
                let cost = base &+ own &+ Self.costOfFile
                guard cost < best?.cost ?? .max else { continue }
                best = State(end: end, cost: cost, file: file, previous: previous)
            }
            guard let best else { continue }
            states.append(best)
            while let last = frontier.last, states[last].cost >= best.cost { frontier.removeLast() }
            frontier.append(states.count - 1)
        }
    }

    private func cheapestState(before file: ReplicaFile, frontier: [Int]) -> (index: Int?, cost: Int64)? {
        let position = file.earliestBase
        if position == 0 { return (nil, 0) }
        var (low, high) = (0, frontier.count)
        while low < high {
            let middle = (low + high) / 2
            if states[frontier[middle]].end < position { low = middle + 1 } else { high = middle }
        }
        guard low < frontier.count else { return nil }
        return (frontier[low], states[frontier[low]].cost)
    }

    /// The end of the furthest state; 0 if there is none.
    var reach: UInt64 { states.last?.end ?? 0 }

    /// The ends of the states next to a transaction, below and above it, itself left out.
    func neighbours(of transaction: TransactionID) -> (below: TransactionID?, above: TransactionID?) {
        let below = states.last { $0.end < transaction.rawValue }?.end
        let above = states.first { $0.end > transaction.rawValue }?.end
        return (below.map(TransactionID.init(rawValue:)), above.map(TransactionID.init(rawValue:)))
    }

    /// The files of the cheapest chain to the state that ends with `end`, oldest first; `nil` if there is none.
    func chain(to end: UInt64) -> [ReplicaFile]? {
        guard var index = states.lastIndex(where: { $0.end == end }) else { return nil }
        var files = [states[index].file]
        while let previous = states[index].previous {
            files.append(states[previous].file)
            index = previous
        }
        return files.reversed()
    }

    /// The earliest moment at which any state was there, going by the dates of its chain.
    func firstFile() -> ReplicaFile? {
        states.lazy.filter { $0.previous == nil }.map(\.file).min { $0.created < $1.created }
    }
}

extension ReplicaFile {
    /// Size of the smallest possible file: header, end-of-pages marker, empty index, trailer.
    static let minimumByteCount: Int64 = 131

    /// Whether the file cannot be whole, going by its size alone.
    var isTooShort: Bool { byteCount < Self.minimumByteCount }
}
