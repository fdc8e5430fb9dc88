/// The pages that come next in the inputs of a merge: lowest number first, and of one number the newest input first.
struct PageHeap: Sendable {
    /// Page number, then how many inputs are newer: one number whose order is the order wanted.
    private var keys: [UInt64] = []
    private let newest: UInt32

    init(inputCount: Int) {
        newest = UInt32(inputCount - 1)
        keys.reserveCapacity(inputCount)
    }

    /// The next page and the input that has it.
    var first: (pageNumber: UInt32, input: Int)? {
        keys.first.map { key in (UInt32(key >> 32), Int(newest - UInt32(truncatingIfNeeded: key))) }
    }

    /// Adds the next page of an input which has none in the heap.
    mutating func insert(_ pageNumber: UInt32, input: Int) {
        keys.append(key(pageNumber, input))
        var child = keys.count - 1
        while child > 0 {
            let parent = (child - 1) / 2
            guard keys[child] < keys[parent] else { return }
            keys.swapAt(child, parent)
            child = parent
        }
    }

    /// Replaces the first page by the one that follows it in the same input, or drops the input at its end.
    mutating func advanceFirst(to pageNumber: UInt32?) {
        guard let first else { return }
        if let pageNumber {
            keys[0] = key(pageNumber, first.input)
        } else {
            keys.swapAt(0, keys.count - 1)
            keys.removeLast()
        }
        sinkFirst()
    }

    private func key(_ pageNumber: UInt32, _ input: Int) -> UInt64 {
        UInt64(pageNumber) << 32 | UInt64(newest - UInt32(input))
    }

    private mutating func sinkFirst() {
        var parent = 0
        while true {
            var child = 2 * parent + 1
            guard child < keys.count else { return }
            if child + 1 < keys.count, keys[child + 1] < keys[child] { child += 1 }
            guard keys[child] < keys[parent] else { return }
            keys.swapAt(child, parent)
            parent = child
        }
    }
}
