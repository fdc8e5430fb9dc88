import Dispatch
import LTX
import NIOCore
import SQLiteFormat
import Synchronization
import SystemPackage

/// One read of a whole database file, on threads of its own, while the engine goes on capturing and moving.
///
/// What it reads may be torn where a checkpoint writes meanwhile: every such page is in a frame that the engine has
/// captured, and the captured image replaces it afterwards (capture-review E8).
///
/// `@unchecked Sendable`: its mutable parts are used by the thread that calls ``run()`` and its helpers, which take
/// turns through Dispatch; after `run()` returned, by the engine alone.
final class ImageScan: @unchecked Sendable {
    let kind: CopyKind
    let pageSize: PageSize
    let pageCount: UInt32
    /// The checksum of each page as it was read.
    private var entries: [UInt64]
    /// How many pages went into the file.
    private(set) var shippedPages = 0
    /// How many of them were not as the page table has them.
    private(set) var differingPages = 0
    /// The first page behind the end of the file: it must be in the log.
    private(set) var firstPageBeyondFile: UInt32?
    private var leftOut = PageSet()

    private let known: PageTable?
    private let forcedPage: UInt32?
    private let connection: EngineConnection
    private let file: SQLiteFileHandle
    private var output: LTXWriterBox?
    private let isCancelled = Atomic(false)

    /// Prepares a scan of `pageCount` pages.
    ///
    /// - Parameters:
    ///   - connection: A connection of its own, on whose file handle it reads.
    ///   - known: For a difference: the checksums of what was shipped last.
    ///   - forcedPage: A page that goes into a difference even if it has not changed.
    ///   - path: The temporary file for the pages; `nil` for a scan that only makes a page table.
    init(
        kind: CopyKind,
        connection: EngineConnection,
        pageSize: PageSize,
        pageCount: UInt32,
        known: PageTable?,
        forcedPage: UInt32?,
        path: FilePath?,
        mode: UInt32
    ) throws {
        (self.kind, self.pageSize, self.pageCount) = (kind, pageSize, pageCount)
        (self.known, self.forcedPage) = (known, forcedPage)
        entries = [UInt64](repeating: 0, count: Int(pageCount))
        self.connection = connection
        file = try connection.databaseFile()
        if let path { output = try LTXWriterBox(pageSize: pageSize, path: path, mode: mode) }
    }

    /// Tells which pages are known to be as the page table has them, whatever the file says; before ``run()``.
    func leaveOut(_ pages: [UInt32]) { leftOut = PageSet(pages) }

    /// The checksum of each page as it was read; they are given away, not copied.
    func takeEntries() -> [UInt64] {
        defer { entries = [] }
        return entries
    }

    /// Makes ``run()`` throw soon.
    func cancel() { isCancelled.store(true, ordering: .relaxed) }

    /// Reads the database; the pages to be shipped are in the output file afterwards, which is not finished yet.
    func run() throws {
        let perLane = max(1, (1 << 20) / pageSize.byteCount)
        let laneCount = pageCount > UInt32(perLane) ? max(2, min(4, ProcessorCount.active)) : 1
        let lanes = (0..<2).map { _ in
            (0..<laneCount).map { _ in ScanLane(pageSize: pageSize, capacity: min(perLane, Int(pageCount))) }
        }
        let writing = DispatchQueue(label: "copy")
        // However this ends, nothing may still write to the output: whoever called closes its descriptor.
        defer { writing.sync {} }
        let idle = [DispatchSemaphore(value: 1), DispatchSemaphore(value: 1)]
        let failure = Mutex<(any Error)?>(nil)
        var next: UInt32 = 1
        var turn = 0
        while next <= pageCount {
            if isCancelled.load(ordering: .relaxed) { throw CancellationError() }
            let set = lanes[turn & 1]
            idle[turn & 1].wait()
            let first = next
            ParallelWork.perform(laneCount) { [self] index in
                let from = UInt64(first) + UInt64(index * perLane)
                guard from <= UInt64(pageCount) else { return set[index].clear() }
                let count = min(perLane, Int(UInt64(pageCount) - from) + 1)
                do {
                    try fill(set[index], from: UInt32(from), count: count)
                } catch {
                    failure.withLock { $0 = $0 ?? error }
                }
            }
            next = UInt32(min(UInt64(pageCount) + 1, UInt64(first) + UInt64(laneCount * perLane)))
            let signal = idle[turn & 1]
            writing.async { [self] in
                do {
                    for lane in set { try take(lane) }
                } catch {
                    failure.withLock { $0 = $0 ?? error }
                }
                signal.signal()
            }
            turn += 1
            if let error = failure.withLock(\.self) { throw error }
        }
        writing.sync {}
        if let error = failure.withLock(\.self) { throw error }
        // The bulk becomes durable here, not on the engine's thread.
        try output?.sync()
    }

    /// Completes the output under `header` and makes it durable.
    func finish(header: LTXHeader) throws -> (path: FilePath, summary: LTXFileSummary) {
        guard let output else { throw Discontinuity(.noPosition, "a scan without an output") }
        return (output.path, try output.finish(header: header))
    }

    /// Removes the output, if there is one.
    func discard() { output?.discard() }

    private func fill(_ lane: ScanLane, from first: UInt32, count: Int) throws {
        lane.clear()
        let size = pageSize.byteCount
        let isWhole = unsafe try file.read(
            into: UnsafeMutableRawBufferPointer(rebasing: lane.memory[..<(count * size)]),
            at: Int64(first - 1) * Int64(size)
        )
        if !isWhole { lane.fileEndedAt = UInt32(clamping: try file.byteCount() / Int64(size)) + 1 }
        for index in 0..<count {
            let number = first + UInt32(index)
            guard number != pageSize.lockPage else {
                lane.checksums.append(0)
                continue
            }
            if leftOut.contains(number), let checksum = known?[number] {
                lane.checksums.append(checksum)
                continue
            }
            // SAFETY: the page lies within the lane's memory, which was just filled.
            let page = unsafe UnsafeRawBufferPointer(rebasing: lane.memory[index * size..<(index + 1) * size]).bytes
            lane.checksums.append(take(number, page, in: lane))
        }
        lane.first = first
    }

    /// Compresses a page if it is to be shipped, and returns its checksum.
    private func take(_ number: UInt32, _ page: RawSpan, in lane: ScanLane) -> UInt64 {
        let size = pageSize.byteCount
        if kind == .whole {
            let remainder = lane.block.append(pageNumber: number, page: page)
            return DatabaseChecksum.page(number: number, remainder: remainder, pageSize: size)
        }
        let checksum = DatabaseChecksum.page(number: number, remainder: CRC64.remainder(of: page), pageSize: size)
        if kind == .difference {
            let differs = known?[number] != checksum
            if differs || number == forcedPage { lane.block.append(pageNumber: number, page: page) }
            if differs { lane.differing += 1 }
        }
        return checksum
    }

    private func take(_ lane: ScanLane) throws {
        for (index, checksum) in lane.checksums.enumerated() { entries[Int(lane.first) - 1 + index] = checksum }
        differingPages += lane.differing
        if let end = lane.fileEndedAt { firstPageBeyondFile = min(firstPageBeyondFile ?? end, end) }
        guard !lane.block.entries.isEmpty else { return }
        shippedPages += lane.block.entries.count
        try output?.append(lane.block)
    }
}

/// The pages that one thread reads and compresses at a time.
///
/// `@unchecked Sendable`: one thread uses it at a time; a semaphore hands it from the readers to the writer and back.
@safe private final class ScanLane: @unchecked Sendable {
    let memory: UnsafeMutableRawBufferPointer
    var block: FrameBlock
    var checksums: [UInt64] = []
    var first: UInt32 = 1
    var differing = 0
    var fileEndedAt: UInt32?

    init(pageSize: PageSize, capacity: Int) {
        unsafe memory = .allocate(byteCount: capacity * pageSize.byteCount, alignment: 4096)
        block = FrameBlock(pageSize: pageSize.byteCount)
        checksums.reserveCapacity(capacity)
    }

    deinit { unsafe memory.deallocate() }

    func clear() {
        block.removeAll()
        checksums.removeAll(keepingCapacity: true)
        (differing, fileEndedAt) = (0, nil)
    }
}

/// A transaction file that is being written, as an object that threads can hand to each other.
final class LTXWriterBox {
    let path: FilePath
    private var writer: LTXWriter<TransactionFileSink>

    init(pageSize: PageSize, path: FilePath, mode: UInt32) throws {
        self.path = path
        writer = try LTXWriter(pageSize: pageSize.byteCount, sink: TransactionFileSink(path: path, mode: mode))
    }

    func append(_ block: FrameBlock) throws { try writer.append(block) }

    func sync() throws { try writer.sink.sync() }

    /// Completes the file and makes it durable.
    func finish(header: LTXHeader) throws -> LTXFileSummary {
        let summary = try writer.finish(header: header)
        try writer.sink.complete()
        return summary
    }

    func discard() { writer.sink.discard() }
}

/// How many processors may be used.
enum ProcessorCount {
    static let active = System.coreCount
}
