import SQLiteFormat
import Synchronization

/// Looks at the wal-index's header in the memory that SQLite shares between connections.
@safe struct WALIndex {
    private let memory: UnsafeRawPointer

    /// Takes the mapped start of the wal-index, which must stay mapped while this value is used.
    init(memory: UnsafeRawPointer) { unsafe self.memory = unsafe memory }

    /// One consistent look, or `nil` where the header is being written right now.
    ///
    /// The order is SQLite's own: writers store the second copy, a barrier, then the first.
    func look() -> WALIndexHeader? {
        // SAFETY: the mapping is at least 32 KiB, the copy 136 bytes; its two halves are read around a fence.
        unsafe withUnsafeTemporaryAllocation(byteCount: WALIndexHeader.byteCount, alignment: 8) { copy in
            unsafe copy.baseAddress?.copyMemory(from: memory, byteCount: 48)
            atomicMemoryFence(ordering: .sequentiallyConsistent)
            unsafe copy.baseAddress?.advanced(by: 48).copyMemory(from: memory.advanced(by: 48), byteCount: 88)
            return WALIndexHeader(parsing: unsafe UnsafeRawBufferPointer(copy).bytes)
        }
    }
}
