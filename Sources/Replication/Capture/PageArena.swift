import SQLiteFormat

/// Both this module's formats know page sizes; here SQLite's is meant.
typealias PageSize = SQLiteFormat.PageSize

/// Page images in memory, the newest of each page, in blocks that are given back together.
@safe final class PageArena {
    let pageSize: PageSize
    private let pageByteCount: Int
    private let pagesPerBlock: Int
    private var blocks: [UnsafeMutableRawPointer] = unsafe []
    private var slots: [UInt32: Int] = [:]
    private var used = 0
    private var vacant: [Int] = []

    init(pageSize: PageSize) {
        self.pageSize = pageSize
        pageByteCount = pageSize.byteCount
        pagesPerBlock = max(1, (64 << 10) / pageSize.byteCount)
    }

    deinit { removeAll() }

    /// The number of pages held.
    var count: Int { slots.count }

    /// The memory that the images take, in bytes.
    var byteCount: Int { unsafe blocks.count * pagesPerBlock * pageByteCount }

    /// The pages held, ascending.
    var pageNumbers: [UInt32] { slots.keys.sorted() }

    /// Whether `page` is held.
    func contains(_ page: UInt32) -> Bool { slots[page] != nil }

    /// Whether an image of `page` needs no more memory.
    func canTake(_ page: UInt32) -> Bool {
        unsafe slots[page] != nil || !vacant.isEmpty || used < blocks.count * pagesPerBlock
    }

    /// Keeps `image` as the newest of `page`.
    func store(_ page: UInt32, _ image: RawSpan) {
        precondition(image.byteCount == pageByteCount, "an image is one page")
        let slot = slots[page] ?? claimSlot()
        slots[page] = slot
        // SAFETY: the slot lies within its block, which is `pagesPerBlock` pages long.
        unsafe image.withUnsafeBytes {
            unsafe address(slot).copyMemory(from: $0.baseAddress!, byteCount: pageByteCount)
        }
    }

    /// Shows the image of `page`, which must be held.
    func withImage<Result>(of page: UInt32, _ body: (RawSpan) throws -> Result) rethrows -> Result? {
        guard let slot = slots[page] else { return nil }
        // SAFETY: the slot is initialised and stays where it is while `body` runs.
        return unsafe try body(UnsafeRawBufferPointer(start: address(slot), count: pageByteCount).bytes)
    }

    /// Forgets one page.
    func drop(_ page: UInt32) {
        guard let slot = slots.removeValue(forKey: page) else { return }
        vacant.append(slot)
    }

    /// Forgets pages above `size`: the database has shrunk.
    func drop(above size: UInt32) {
        for (page, slot) in slots where page > size {
            slots[page] = nil
            vacant.append(slot)
        }
    }

    /// Forgets everything and gives the memory back.
    func removeAll() {
        unsafe CaptureMemory.add(-blocks.count * pagesPerBlock * pageByteCount)
        unsafe blocks.forEach { unsafe $0.deallocate() }
        unsafe blocks = []
        (slots, used, vacant) = ([:], 0, [])
    }

    private func claimSlot() -> Int {
        if let slot = vacant.popLast() { return slot }
        if unsafe used == blocks.count * pagesPerBlock {
            unsafe blocks.append(.allocate(byteCount: pagesPerBlock * pageByteCount, alignment: 4096))
            CaptureMemory.add(pagesPerBlock * pageByteCount)
        }
        defer { used += 1 }
        return used
    }

    private func address(_ slot: Int) -> UnsafeMutableRawPointer {
        unsafe blocks[slot / pagesPerBlock].advanced(by: slot % pagesPerBlock * pageByteCount)
    }
}
