/// The container around a page in files of Litestream 0.5.0 to 0.5.15: a standard LZ4 frame with one block.
///
///     04 22 4d 18   magic
///     64 40 a7      independent blocks, content checksum, blocks of at most 64 KiB, header checksum
///     4 bytes       block size, little-endian; bit 31: the block is stored
///     …             the block
///     00 00 00 00   end mark
///     4 bytes       XXH32 of the page, little-endian
///
/// The first seven bytes are the same in every file, so nothing else is read.
enum LZ4Frame {
    static let headerByteCount = 7
    static let endByteCount = 8
    static let storedFlag: UInt32 = 1 << 31
    /// What such a frame has besides its block.
    static let overhead = headerByteCount + 4 + endByteCount

    /// Whether the block of the frame is compressed.
    ///
    /// - Parameter bytes: From the page header on.
    static func kind(of bytes: RawSpan, pageNumber: UInt32) throws(LTXError) -> FrameLayout.Kind {
        let start = FrameLayout.markerByteCount
        guard bytes.byteCount >= start + headerByteCount + 4 else { throw .truncatedFrame }
        guard bytes.littleEndian(at: start, as: UInt32.self) == 0x184d_2204,
            bytes.bigEndian(at: start + 4, as: UInt16.self) == 0x6440,
            bytes.bigEndian(at: start + 6, as: UInt8.self) == 0xa7
        else { throw .frame(pageNumber, "has no size field and holds no LZ4 frame of the known form") }
        let size = bytes.littleEndian(at: start + headerByteCount, as: UInt32.self)
        return size & storedFlag == 0 ? .frameCompressed : .frameStored
    }

    /// Checks the end mark and the content checksum.
    ///
    /// - Parameter end: The 8 bytes after the block.
    static func check(end: RawSpan, of page: RawSpan, pageNumber: UInt32) throws(LTXError) {
        guard end.littleEndian(at: 0, as: UInt32.self) == 0 else {
            throw .frame(pageNumber, "holds an LZ4 frame of more than one block")
        }
        let (stored, computed) = (end.littleEndian(at: 4, as: UInt32.self), XXH32.hash(of: page))
        guard stored == computed else {
            throw LTXError(
                .checksumMismatch,
                "Page \(pageNumber) is damaged: its LZ4 frame says 0x\(String(stored, radix: 16)), "
                    + "its content gives 0x\(String(computed, radix: 16))."
            )
        }
    }
}
