/// The page index of a file being written, in its final form.
///
/// It is kept in pieces of 64 KiB, as an index of a large database is large, and growing one array would copy it.
struct PageIndexBuilder: Sendable {
    private(set) var chunks: [[UInt8]] = []
    private var byteCount: UInt64 = 0

    mutating func append(_ entry: PageIndexEntry) {
        append(varint: UInt64(entry.pageNumber))
        append(varint: UInt64(entry.offset))
        append(varint: UInt64(entry.byteCount))
    }

    /// Adds the terminator and the size field.
    mutating func finish() {
        append(byte: 0)
        var size: [UInt8] = []
        size.append(bigEndian: byteCount)
        chunks.append(size)
    }

    /// Appends an unsigned LEB128 number in its shortest form.
    private mutating func append(varint value: UInt64) {
        var rest = value
        while rest >= 0x80 {
            append(byte: UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        append(byte: UInt8(truncatingIfNeeded: rest))
    }

    @inline(__always)
    private mutating func append(byte: UInt8) {
        if byteCount & 0xffff == 0 {
            var chunk: [UInt8] = []
            chunk.reserveCapacity(chunks.isEmpty ? 256 : 1 << 16)
            chunks.append(chunk)
        }
        chunks[chunks.count - 1].append(byte)
        byteCount += 1
    }
}
