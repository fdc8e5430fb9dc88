public import LTX

/// The files of a replica at one moment, by level.
///
/// The plans of this module are functions over a listing; an engine keeps one up to date by ``insert(_:)`` and
/// ``remove(_:)`` and so needs no further request.
public struct ReplicaListing: Hashable, Sendable {
    private var levels: [[ReplicaFile]]

    /// Creates a listing of files in any order.
    ///
    /// Of several files with the same level and range the last one counts.
    public init(_ files: some Sequence<ReplicaFile> = []) {
        levels = Array(repeating: [], count: ReplicaLayout.levels.count)
        for file in files { levels[file.level].append(file) }
        for level in levels.indices {
            // The sort is stable, so of equal names the last given stands last.
            let sorted = levels[level].sorted(by: Self.areInOrder)
            levels[level] = []
            for file in sorted {
                if let last = levels[level].last, last.range == file.range { levels[level].removeLast() }
                levels[level].append(file)
            }
        }
    }

    /// The files of a level, by first, then by last transaction: the byte order of their names.
    public subscript(level: Int) -> [ReplicaFile] { levels[level] }

    /// All files, level by level from 0 to 9.
    public var files: some Sequence<ReplicaFile> { levels.lazy.joined() }

    /// The number of files.
    public var count: Int { levels.reduce(0) { $0 + $1.count } }

    /// Whether there is no file.
    public var isEmpty: Bool { levels.allSatisfy(\.isEmpty) }

    /// The highest transaction that any file of `level` ends with.
    public func highest(level: Int) -> TransactionID? { levels[level].lazy.map(\.max).max() }

    /// The highest transaction in the listing, reachable or not.
    public var highest: TransactionID? { files.lazy.map(\.max).max() }

    /// Adds a file, in the place of one with the same level and range.
    public mutating func insert(_ file: ReplicaFile) {
        let index = index(of: file)
        if index < levels[file.level].count, levels[file.level][index].range == file.range {
            levels[file.level][index] = file
        } else {
            levels[file.level].insert(file, at: index)
        }
    }

    /// Removes the file with the same level and range; none there is no error.
    public mutating func remove(_ file: ReplicaFile) {
        let index = index(of: file)
        guard index < levels[file.level].count, levels[file.level][index].range == file.range else { return }
        levels[file.level].remove(at: index)
    }

    /// The file with this level and range.
    public func file(level: Int, min: TransactionID, max: TransactionID) -> ReplicaFile? {
        let index = index(level: level, min: min, max: max)
        guard index < levels[level].count, levels[level][index].range == min...max else { return nil }
        return levels[level][index]
    }

    /// A listing of those files that satisfy a condition.
    public func filter(_ isIncluded: (ReplicaFile) -> Bool) -> ReplicaListing {
        var result = self
        for level in levels.indices { result.levels[level] = levels[level].filter(isIncluded) }
        return result
    }

    private func index(of file: ReplicaFile) -> Int {
        index(level: file.level, min: file.min, max: file.max)
    }

    /// The place of the first file of a level that does not sort before a range.
    private func index(level: Int, min: TransactionID, max: TransactionID) -> Int {
        var (low, high) = (0, levels[level].count)
        while low < high {
            let middle = (low + high) / 2
            let file = levels[level][middle]
            if (file.min, file.max) < (min, max) { low = middle + 1 } else { high = middle }
        }
        return low
    }

    private static func areInOrder(_ lhs: ReplicaFile, _ rhs: ReplicaFile) -> Bool {
        (lhs.min, lhs.max) < (rhs.min, rhs.max)
    }
}
