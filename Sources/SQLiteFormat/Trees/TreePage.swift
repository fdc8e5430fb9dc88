/// One page of a b-tree, as far as it tells which other pages belong to the tree.
///
/// Nothing in it is trusted: what leads out of the page is left aside.
///
/// Format: <https://www.sqlite.org/fileformat2.html#b_tree_pages>
struct TreePage {
    /// The four kinds of pages, by their first byte.
    enum Kind: UInt8 {
        case interiorIndex = 2
        case interiorTable = 5
        case leafIndex = 10
        case leafTable = 13

        var isInterior: Bool { self == .interiorIndex || self == .interiorTable }
    }

    /// What a cell holds of its payload, and where the rest is.
    struct Payload {
        /// The bytes in this page.
        var local: Range<Int>
        /// Bytes that lie elsewhere.
        var overflowByteCount: UInt64
        /// The first overflow page; 0: there is none.
        var overflow: UInt32
    }

    let kind: Kind
    let bytes: [UInt8]
    private let usableByteCount: Int
    /// Where the page's own header begins: behind the database's, on page 1.
    private let start: Int

    /// Reads a page; `nil` where it is none of a b-tree.
    ///
    /// - Parameters:
    ///   - bytes: The whole page.
    ///   - number: Its number.
    ///   - usableByteCount: The page size without what is reserved at each page's end.
    init?(_ bytes: [UInt8], number: UInt32, usableByteCount: Int) {
        start = number == 1 ? DatabaseHeader.byteCount : 0
        guard bytes.count >= usableByteCount, usableByteCount >= start + 12, let kind = Kind(rawValue: bytes[start])
        else { return nil }
        (self.kind, self.bytes, self.usableByteCount) = (kind, bytes, usableByteCount)
    }

    /// Where the cells begin, as far as they lie in the page.
    private var cells: [Int] {
        let first = start + (kind.isInterior ? 12 : 8)
        let room = max(0, (usableByteCount - first) / 2)
        let count = min(Int(bytes.bigEndianUInt16(at: start + 3)), room)
        return (0..<count).compactMap { index in
            let offset = Int(bytes.bigEndianUInt16(at: first + 2 * index))
            return offset >= first + 2 * count && offset + 4 <= usableByteCount ? offset : nil
        }
    }

    /// The pages below this one, left to right.
    var children: [UInt32] {
        guard kind.isInterior else { return [] }
        return cells.map { bytes.bigEndianUInt32(at: $0) } + [bytes.bigEndianUInt32(at: start + 8)]
    }

    /// What the cells hold; the cells of interior table pages hold nothing.
    var payloads: [Payload] {
        kind == .interiorTable ? [] : cells.compactMap(payload)
    }

    private func payload(at cell: Int) -> Payload? {
        var at = kind == .interiorIndex ? cell + 4 : cell
        guard let byteCount = bytes.varint(at: &at) else { return nil }
        if kind == .leafTable { guard bytes.varint(at: &at) != nil else { return nil } }
        let local = localByteCount(of: byteCount)
        let end = at + local
        guard byteCount > UInt64(local) else {
            return end <= usableByteCount ? Payload(local: at..<end, overflowByteCount: 0, overflow: 0) : nil
        }
        guard end + 4 <= usableByteCount else { return nil }
        let overflow = bytes.bigEndianUInt32(at: end)
        return Payload(local: at..<end, overflowByteCount: byteCount - UInt64(local), overflow: overflow)
    }

    /// How much of a payload lies in the page itself, by the rule in "B-tree Cell Format".
    private func localByteCount(of byteCount: UInt64) -> Int {
        let usable = usableByteCount
        let most = kind == .leafTable ? usable - 35 : (usable - 12) * 64 / 255 - 23
        guard byteCount > UInt64(most) else { return Int(byteCount) }
        let least = (usable - 12) * 32 / 255 - 23
        // What is left over when the overflow pages are all full; the payload is the larger one, so this is no wrap.
        let rest = least + Int((byteCount - UInt64(least)) % UInt64(usable - 4))
        return rest <= most ? rest : least
    }
}

extension [UInt8] {
    /// The big-endian integer at `offset`; the caller has checked that it lies within.
    func bigEndianUInt16(at offset: Int) -> UInt16 { UInt16(self[offset]) << 8 | UInt16(self[offset + 1]) }

    /// The same of four bytes.
    func bigEndianUInt32(at offset: Int) -> UInt32 {
        UInt32(bigEndianUInt16(at: offset)) << 16 | UInt32(bigEndianUInt16(at: offset + 2))
    }

    /// A variable-length integer of 1 to 9 bytes, behind which `offset` is moved; `nil` where the bytes end within.
    func varint(at offset: inout Int) -> UInt64? {
        var value: UInt64 = 0
        for index in 0..<9 {
            guard offset < count else { return nil }
            let byte = self[offset]
            offset += 1
            if index == 8 { return value << 8 | UInt64(byte) }
            value = value << 7 | UInt64(byte & 0x7f)
            if byte < 0x80 { return value }
        }
        return value
    }
}
