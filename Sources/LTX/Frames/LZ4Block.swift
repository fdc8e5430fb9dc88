import CLZ4

/// One page as a raw LZ4 block: no magic, no size, no checksum.
///
/// Format: <https://github.com/lz4/lz4/blob/dev/doc/lz4_Block_format.md>
enum LZ4Block {
    /// Compresses `page` to the start of `target`.
    ///
    /// - Precondition: `target` has ``LTXPageSize/blockBound(pageSize:)`` bytes, so that every page fits.
    /// - Returns: The number of bytes written.
    static func compress(_ page: RawSpan, into target: UnsafeMutableRawBufferPointer) -> Int {
        precondition(target.count >= LTXPageSize.blockBound(pageSize: page.byteCount), "an LZ4 block needs room")
        // SAFETY: both pointers are valid for the counts given, which liblz4 keeps to; counts fit 32 bits.
        let written = unsafe page.withUnsafeBytes { source in
            unsafe LZ4_compress_default(
                source.baseAddress?.assumingMemoryBound(to: CChar.self),
                target.baseAddress?.assumingMemoryBound(to: CChar.self),
                Int32(source.count),
                Int32(target.count)
            )
        }
        // liblz4 says 0 only where the room is too small, which it is not; a block of literals is always right.
        return written > 0 ? Int(written) : unsafe store(page, into: target)
    }

    /// Writes `page` to the start of `target` as one sequence of literals.
    ///
    /// - Precondition: as for ``compress(_:into:)``.
    static func store(_ page: RawSpan, into target: UnsafeMutableRawBufferPointer) -> Int {
        let byteCount = page.byteCount
        precondition(byteCount >= 15 && target.count >= LTXPageSize.blockBound(pageSize: byteCount))
        // SAFETY: 1 + (byteCount - 15) / 255 + 1 + byteCount bytes are written, fewer than the bound.
        unsafe target[0] = 0xf0
        var (offset, rest) = (1, byteCount - 15)
        while rest >= 255 {
            unsafe target[offset] = 255
            (offset, rest) = (offset + 1, rest - 255)
        }
        unsafe target[offset] = UInt8(rest)
        offset += 1
        unsafe page.withUnsafeBytes { source in
            unsafe UnsafeMutableRawBufferPointer(rebasing: target[offset...]).copyMemory(from: source)
        }
        return offset + byteCount
    }

    /// Decompresses `block`, which must fill `page` exactly.
    ///
    /// - Returns: Whether it did. What is in `page` otherwise is undefined.
    static func decompress(_ block: RawSpan, into page: inout MutableRawSpan) -> Bool {
        let room = page.byteCount
        guard let source = Int32(exactly: block.byteCount), let target = Int32(exactly: room) else { return false }
        // SAFETY: both pointers are valid for the counts given, which LZ4_decompress_safe never leaves, whatever the
        // block holds.
        let written = unsafe block.withUnsafeBytes { sourceBytes in
            unsafe page.withUnsafeMutableBytes { targetBytes in
                unsafe LZ4_decompress_safe(
                    sourceBytes.baseAddress?.assumingMemoryBound(to: CChar.self),
                    targetBytes.baseAddress?.assumingMemoryBound(to: CChar.self),
                    source,
                    target
                )
            }
        }
        return written == target
    }
}
