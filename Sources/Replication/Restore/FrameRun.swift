import LTX
import Synchronization

/// Frames of one file that lie side by side and are fetched and decoded as one.
struct FrameRun: Sendable {
    /// One frame, as the page index tells of it.
    struct Frame: Hashable, Sendable {
        let pageNumber: UInt32
        let byteCount: UInt32
        /// The first file after which the database no longer holds this version; the number of files: the result has it.
        let end: UInt32
    }

    /// A run ends with the frame that reaches so many bytes.
    static let byteLimit: Int64 = 1 << 20
    /// A run ends with the frame that reaches so many bytes of pages.
    static let pageByteLimit = 16 << 20

    /// Which of the file's runs this is, from 0.
    let number: Int
    /// The bytes of the file.
    var range: Range<Int64>
    /// The frames, in file order.
    var frames: [Frame] = []
}

/// Cuts a file into runs by its page index, and settles which pages of it the result has.
///
/// One call at a time is made, on whatever thread; the locks make that known to the compiler and are never waited for.
final class FrameRunReader: Sendable {
    private struct State {
        var cursor: LTXIndexCursor
        /// The entry after the run given last.
        var next: PageIndexEntry?
        var runCount = 0
    }

    private let state: Mutex<State>
    private let owners: ChainOwners
    private let pageSize: Int

    init(_ file: OpenedFile, owners: ChainOwners) {
        let cursor = LTXIndexCursor(file.index, of: file.indexSource, header: file.header)
        state = Mutex(State(cursor: cursor))
        (self.owners, pageSize) = (owners, file.header.pageSize)
    }

    /// The next run, and whether it is the last; no run for a file without pages. May block.
    func next() throws(LTXError) -> (run: FrameRun?, isLast: Bool) {
        try state.withLock { (state) throws(LTXError) in
            if state.next == nil { state.next = try state.cursor.next() }
            guard let first = state.next else { return (nil, true) }
            let run = try owners.owners.withLock { (owners) throws(LTXError) in
                try makeRun(from: first, &state, &owners)
            }
            return (run, state.next == nil)
        }
    }

    private func makeRun(
        from first: PageIndexEntry,
        _ state: inout State,
        _ owners: inout PageOwners
    ) throws(LTXError) -> FrameRun {
        var run = FrameRun(number: state.runCount, range: first.range)
        state.runCount += 1
        while let current = state.next {
            let end = owners.claim(current.pageNumber)
            run.frames.append(
                FrameRun.Frame(
                    pageNumber: current.pageNumber,
                    // Both are bounded: the index checks frames, and a chain is an array of files in memory.
                    byteCount: UInt32(truncatingIfNeeded: current.byteCount),
                    end: UInt32(truncatingIfNeeded: end)
                )
            )
            run.range = run.range.lowerBound..<current.range.upperBound
            state.next = try state.cursor.next()
            let isFull =
                run.range.upperBound - run.range.lowerBound >= FrameRun.byteLimit
                || run.frames.count * pageSize >= FrameRun.pageByteLimit
            if isFull { break }
        }
        return run
    }
}

/// The owners of a chain's pages, shared by the readers of its files one after the other.
final class ChainOwners: Sendable {
    let owners: Mutex<PageOwners>

    init(_ owners: consuming PageOwners) { self.owners = Mutex(owners) }
}
