import SQLiteFormat
import Synchronization

/// Enters frames into the wal-index, and publishes them, as SQLite's own writer does.
///
/// The caller holds SQLite's write lock from before the first look to behind the publication. Nothing is visible before
/// ``publish(after:lastFrame:pageCount:checksum:salts:pageSize:)``: readers look only at frames up to the last published
/// one. Layout: <https://www.sqlite.org/walformat.html#the_wal_index_file_format>.
@safe struct WALIndexWriter {
    private static let blockByteCount = 32768
    private static let slotCount = 8192
    /// Frames that the first block has room for; its start holds the header. The others hold 4,096.
    private static let firstBlockFrames = 4062
    private static let headerByteCount = 136

    private let file: SQLiteFileHandle

    /// Takes SQLite's handle of the database, whose wal-index is open.
    init(file: SQLiteFileHandle) { self.file = file }

    /// A consistent look; `nil` where the header is not valid, as after a writer's death: a reader repairs it.
    func look() throws(SQLiteFailure) -> WALIndexHeader? {
        unsafe WALIndex(memory: UnsafeRawPointer(try file.sharedMemory(region: 0))).look()
    }

    /// The byte order of the log's checksums, as the header says it.
    func byteOrder() throws(SQLiteFailure) -> ByteOrder {
        // SAFETY: the mapping has 32 KiB.
        unsafe try file.sharedMemory(region: 0).load(fromByteOffset: 13, as: UInt8.self) == 0 ? .little : .big
    }

    /// Enters a frame that lies behind all published ones.
    func enter(frame: UInt32, page: UInt32) throws(SQLiteFailure) {
        let (block, place) = Self.place(of: frame)
        let memory = unsafe try file.sharedMemory(region: block)
        let pages = unsafe memory.advanced(by: block == 0 ? Self.headerByteCount : 0)
        let slots = unsafe memory.advanced(by: Self.blockByteCount - 2 * Self.slotCount)
        // SAFETY: `place` is below the block's number of frames, a slot below 8,192; both tables lie in its 32 KiB.
        if place == 0 {
            // Nothing in this block is published: whatever it holds was left by a writer that rolled back.
            let used = block == 0 ? Self.headerByteCount : 0
            unsafe pages.initializeMemory(as: UInt8.self, repeating: 0, count: Self.blockByteCount - used)
        } else if unsafe pages.load(fromByteOffset: 4 * place, as: UInt32.self) != 0 {
            unsafe forget(from: place, pages: pages, slots: slots)
        }
        var slot = Int(truncatingIfNeeded: page &* 383) & (Self.slotCount - 1)
        var tries = 0
        while unsafe slots.load(fromByteOffset: 2 * slot, as: UInt16.self) != 0 {
            slot = (slot + 1) & (Self.slotCount - 1)
            tries += 1
            guard tries < Self.slotCount else {
                throw SQLiteFailure(code: 11, text: "the wal-index is damaged", action: "following in the wal-index")
            }
        }
        unsafe pages.storeBytes(of: page, toByteOffset: 4 * place, as: UInt32.self)
        atomicMemoryFence(ordering: .releasing)
        unsafe slots.storeBytes(of: UInt16(place + 1), toByteOffset: 2 * slot, as: UInt16.self)
    }

    /// Makes all frames up to `lastFrame` visible: one commit, for whoever begins to read from now on.
    func publish(
        lastFrame: UInt32,
        pageCount: UInt32,
        checksum: WALChecksum,
        salts: WALSalts,
        byteOrder: ByteOrder,
        pageSize: PageSize
    ) throws(SQLiteFailure) {
        let memory = unsafe try file.sharedMemory(region: 0)
        var header = [UInt8](repeating: 0, count: 48)
        // SAFETY: the header has 48 bytes, the mapping 32 KiB.
        unsafe header.withUnsafeMutableBytes { header in
            func store(_ value: UInt32, at offset: Int) {
                unsafe header.storeBytes(of: value, toByteOffset: offset, as: UInt32.self)
            }
            store(3_007_000, at: 0)
            store(unsafe memory.load(fromByteOffset: 8, as: UInt32.self) &+ 1, at: 8)
            unsafe header.storeBytes(of: 1, toByteOffset: 12, as: UInt8.self)
            unsafe header.storeBytes(of: byteOrder == .big ? 1 : 0, toByteOffset: 13, as: UInt8.self)
            let size = pageSize.byteCount == 65536 ? 1 : UInt16(pageSize.byteCount)
            unsafe header.storeBytes(of: size, toByteOffset: 14, as: UInt16.self)
            store(lastFrame, at: 16)
            store(pageCount, at: 20)
            store(checksum.first, at: 24)
            store(checksum.second, at: 28)
            store(salts.first.bigEndian, at: 32)
            store(salts.second.bigEndian, at: 36)
            var sum = WALChecksum()
            let order: ByteOrder = 1.littleEndian == 1 ? .little : .big
            sum.update(
                with: unsafe UnsafeRawBufferPointer(rebasing: UnsafeRawBufferPointer(header)[..<40]).bytes,
                byteOrder: order
            )
            store(sum.first, at: 40)
            store(sum.second, at: 44)
            // Readers look at the first copy, then at the second: both equal means whole.
            atomicMemoryFence(ordering: .sequentiallyConsistent)
            guard let start = header.baseAddress else { return }
            unsafe memory.advanced(by: 48).copyMemory(from: start, byteCount: 48)
            atomicMemoryFence(ordering: .sequentiallyConsistent)
            unsafe memory.copyMemory(from: start, byteCount: 48)
            atomicMemoryFence(ordering: .sequentiallyConsistent)
        }
    }

    /// Removes the entries from `place` of a block on, which a writer that rolled back has left.
    private func forget(from place: Int, pages: UnsafeMutableRawPointer, slots: UnsafeMutableRawPointer) {
        // SAFETY: as in `enter`.
        for slot in 0..<Self.slotCount
        where unsafe Int(slots.load(fromByteOffset: 2 * slot, as: UInt16.self)) > place {
            unsafe slots.storeBytes(of: 0, toByteOffset: 2 * slot, as: UInt16.self)
        }
        unsafe (pages + 4 * place).initializeMemory(as: UInt8.self, repeating: 0, count: slots - (pages + 4 * place))
    }

    private static func place(of frame: UInt32) -> (block: Int, place: Int) {
        let index = Int(frame) - 1
        guard index >= firstBlockFrames else { return (0, index) }
        return ((index - firstBlockFrames) / 4096 + 1, (index - firstBlockFrames) % 4096)
    }
}
