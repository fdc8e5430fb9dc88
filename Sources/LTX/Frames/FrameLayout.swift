/// Where the parts of one page frame lie, counted from its first byte.
///
/// Two kinds occur in the wild: 10 bytes of page header and an LZ4 block (Litestream 0.5.16 and later, and this
/// project), or 6 bytes and an LZ4 frame that ends itself (0.5.0 to 0.5.15). A file may mix them.
struct FrameLayout: Hashable, Sendable {
    enum Kind: Hashable, Sendable {
        /// An LZ4 block after a size field.
        case block
        /// An LZ4 frame with one compressed block.
        case frameCompressed
        /// An LZ4 frame with one block stored as it is.
        case frameStored
    }

    /// The page number, from 1; 0 stands for the end-of-pages marker.
    let pageNumber: UInt32
    let kind: Kind
    /// The page header with its size field: what the file checksum covers besides the page.
    let headerByteCount: Int
    /// The compressed or stored page.
    let payload: Range<Int>
    /// The whole frame.
    let byteCount: Int

    /// The size of the end-of-pages marker, and of a page header without size field.
    static let markerByteCount = 6
    /// The size of a page header with its size field.
    static let blockHeaderByteCount = 10
    /// With so many bytes from a frame's start every layout can be told. Each frame of a whole file has more after it.
    static let peekByteCount = LZ4Frame.headerByteCount + markerByteCount + 4

    /// The most bytes that a frame of either kind can have.
    static func byteCountBound(pageSize: Int) -> Int {
        blockHeaderByteCount + LTXPageSize.blockBound(pageSize: pageSize) + LZ4Frame.overhead
    }

    var isEndMarker: Bool { pageNumber == 0 }

    /// Reads the layout of the frame or the marker that `bytes` begin with.
    ///
    /// - Parameter bytes: From the frame's start; need not reach its end. ``peekByteCount`` bytes are always enough.
    /// - Throws: `truncated` where the bytes do not suffice, `invalidFrame` for what the format does not have.
    init(parsing bytes: RawSpan, pageSize: Int) throws(LTXError) {
        guard bytes.byteCount >= Self.markerByteCount else { throw .truncatedFrame }
        pageNumber = bytes.bigEndian(at: 0, as: UInt32.self)
        let flags = bytes.bigEndian(at: 4, as: UInt16.self)
        if pageNumber == 0 {
            guard flags == 0 else { throw .frame(0, "has flags 0x\(String(flags, radix: 16))") }
            (kind, headerByteCount, payload, byteCount) = (.block, Self.markerByteCount, 6..<6, Self.markerByteCount)
            return
        }
        switch flags {
        case 1:
            guard bytes.byteCount >= Self.blockHeaderByteCount else { throw .truncatedFrame }
            let size = bytes.bigEndian(at: 6, as: UInt32.self)
            let bound = LTXPageSize.blockBound(pageSize: pageSize)
            guard size > 0, size <= bound else {
                throw .frame(pageNumber, "says it has \(size) bytes, but a page of \(pageSize) takes 1 to \(bound)")
            }
            (kind, headerByteCount) = (.block, Self.blockHeaderByteCount)
            payload = headerByteCount..<(headerByteCount + Int(size))
            byteCount = payload.upperBound
        case 0:
            (kind, headerByteCount) = (try LZ4Frame.kind(of: bytes, pageNumber: pageNumber), Self.markerByteCount)
            let start = headerByteCount + LZ4Frame.headerByteCount + 4
            let size = bytes.littleEndian(at: start - 4, as: UInt32.self) & ~LZ4Frame.storedFlag
            let isPlausible =
                kind == .frameStored ? size == pageSize : size > 0 && size <= LTXPageSize.blockBound(pageSize: pageSize)
            guard isPlausible else { throw .frame(pageNumber, "holds an LZ4 frame with a block of \(size) bytes") }
            payload = start..<(start + Int(size))
            byteCount = payload.upperBound + LZ4Frame.endByteCount
        default:
            throw .frame(pageNumber, "has flags 0x\(String(flags, radix: 16)), which no version writes")
        }
    }
}

extension LTXError {
    static var truncatedFrame: Self { Self(.truncated, "The file ends inside its page frames.") }

    static func frame(_ pageNumber: UInt32, _ fact: String) -> Self {
        Self(.invalidFrame, "The frame of page \(pageNumber) \(fact).")
    }
}
