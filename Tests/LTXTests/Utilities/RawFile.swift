@testable import LTX

/// A transaction file put together by hand, byte by byte, with a checksum that fits: rules may be broken in it that
/// the writer would enforce.
struct RawFile {
    struct Frame {
        var pageNumber: UInt32
        var flags: UInt16 = 1
        /// Between page header and data: the size field.
        var sizeField: UInt32?
        var data: [UInt8]
        /// What the file checksum covers.
        var page: [UInt8]

        var bytes: [UInt8] {
            var bytes: [UInt8] = []
            bytes.append(bigEndian: pageNumber)
            bytes.append(bigEndian: flags)
            if let sizeField { bytes.append(bigEndian: sizeField) }
            return bytes + data
        }
    }

    var header: [UInt8]
    var frames: [Frame] = []
    var marker: [UInt8] = [0, 0, 0, 0, 0, 0]
    /// The entries; `nil` for the right ones.
    var entries: [UInt8]?
    var indexSize: UInt64?
    var postApply: UInt64 = 0
    var checksumMask: UInt64 = 0
    var checksumFlag = true

    init(_ header: LTXHeader) { self.header = header.encoded() }

    /// Adds a frame as Litestream 0.5.16 and later write it.
    mutating func addBlock(_ pageNumber: UInt32, _ page: [UInt8]) {
        let block = Self.block(of: page)
        frames.append(Frame(pageNumber: pageNumber, sizeField: UInt32(block.count), data: block, page: page))
    }

    /// Adds a frame as Litestream 0.5.0 to 0.5.15 write it; a page that does not compress is stored.
    mutating func addLZ4Frame(_ pageNumber: UInt32, _ page: [UInt8]) {
        let block = Self.block(of: page)
        let isStored = block.count >= page.count
        var size = UInt32(isStored ? page.count : block.count)
        if isStored { size |= 1 << 31 }
        var data: [UInt8] = [0x04, 0x22, 0x4d, 0x18, 0x64, 0x40, 0xa7]
        data += Self.littleEndian(size) + (isStored ? page : block) + [0, 0, 0, 0]
        data += Self.littleEndian(XXH32.hash(of: page.span.bytes))
        frames.append(Frame(pageNumber: pageNumber, flags: 0, data: data, page: page))
    }

    var bytes: [UInt8] {
        var file = header
        var crc = ReferenceCRC()
        crc.update(header)
        var index: [UInt8] = []
        for frame in frames {
            let bytes = frame.bytes
            crc.update(bytes.prefix(frame.sizeField == nil ? 6 : 10))
            crc.update(frame.page)
            for number in [UInt64(frame.pageNumber), UInt64(file.count), UInt64(bytes.count)] {
                index += Self.varint(number)
            }
            file += bytes
        }
        index = (entries ?? index) + [0]
        index.append(bigEndian: indexSize ?? UInt64(index.count))
        index.append(bigEndian: postApply)
        crc.update(marker + index)
        file += marker + index
        let checksum = (crc.checksum | FileChecksum.flag) ^ checksumMask
        file.append(bigEndian: checksumFlag ? checksum : checksum & ~FileChecksum.flag)
        return file
    }

    static func varint(_ value: UInt64) -> [UInt8] {
        var (bytes, rest): ([UInt8], UInt64) = ([], value)
        while rest >= 0x80 {
            bytes.append(UInt8(rest & 0x7f) | 0x80)
            rest >>= 7
        }
        return bytes + [UInt8(rest)]
    }

    static func block(of page: [UInt8]) -> [UInt8] {
        var block = FrameBlock(pageSize: page.count)
        block.append(pageNumber: 1, page: page.span.bytes)
        return block.withBytes { bytes in bytes.withUnsafeBytes { [UInt8]($0.dropFirst(10)) } }
    }

    private static func littleEndian(_ value: UInt32) -> [UInt8] {
        (0..<4).map { UInt8(truncatingIfNeeded: value >> ($0 * 8)) }
    }
}
