extension LTXHeader {
    /// `LTX1` in ASCII.
    private static let magic: UInt32 = 0x4c54_5831
    private static let noChecksumFlag: UInt32 = 2

    /// Reads a header from the first 100 bytes of a file.
    ///
    /// - Throws: ``LTXError`` with code `truncated` for fewer bytes, or `invalidHeader`.
    public init(parsing bytes: RawSpan) throws(LTXError) {
        guard bytes.byteCount >= Self.byteCount else {
            throw LTXError(.truncated, "The file ends inside its header: \(bytes.byteCount) of 100 bytes are there.")
        }
        guard bytes.bigEndian(at: 0, as: UInt32.self) == Self.magic else {
            throw .header("does not begin with 'LTX1': this is no transaction file")
        }
        let flags = bytes.bigEndian(at: 4, as: UInt32.self)
        guard flags & ~Self.noChecksumFlag == 0 else {
            throw .header("has flags 0x\(String(flags, radix: 16)): a variant of the format that is not read")
        }
        guard let minTXID = TransactionID(exactly: bytes.bigEndian(at: 16, as: UInt64.self)),
            let maxTXID = TransactionID(exactly: bytes.bigEndian(at: 24, as: UInt64.self))
        else { throw .header("names transaction 0, but they count from 1") }
        self.init(
            // A 32-bit number always fits: Int has 64 bits on every platform served, and 65,536 fits anyway.
            pageSize: Int(truncatingIfNeeded: bytes.bigEndian(at: 8, as: UInt32.self)),
            commit: bytes.bigEndian(at: 12, as: UInt32.self),
            minTXID: minTXID,
            maxTXID: maxTXID,
            timestampMilliseconds: bytes.bigEndian(at: 32, as: Int64.self),
            walOffset: bytes.bigEndian(at: 48, as: Int64.self),
            walByteCount: bytes.bigEndian(at: 56, as: Int64.self),
            walSalt1: bytes.bigEndian(at: 64, as: UInt32.self),
            walSalt2: bytes.bigEndian(at: 68, as: UInt32.self)
        )
        tracksChecksum = flags & Self.noChecksumFlag == 0
        preApplyChecksum = bytes.bigEndian(at: 40, as: UInt64.self)
        nodeID = bytes.bigEndian(at: 72, as: UInt64.self)
        if bytes.bigEndian(at: 80, as: UInt32.self) == SourceMark.magic {
            sourceMark = SourceMark(
                checksum: bytes.bigEndian(at: 84, as: UInt64.self),
                epoch: bytes.bigEndian(at: 92, as: UInt64.self)
            )
        }
        try validate()
    }

    /// The 100 bytes of the header.
    ///
    /// With the defaults of the initializer these are the bytes that Litestream 0.5.17 writes, but for the mark.
    public func encoded() -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(Self.byteCount)
        bytes.append(bigEndian: Self.magic)
        bytes.append(bigEndian: tracksChecksum ? 0 : Self.noChecksumFlag)
        bytes.append(bigEndian: UInt32(truncatingIfNeeded: pageSize))
        bytes.append(bigEndian: commit)
        bytes.append(bigEndian: minTXID.rawValue)
        bytes.append(bigEndian: maxTXID.rawValue)
        bytes.append(bigEndian: timestampMilliseconds)
        bytes.append(bigEndian: preApplyChecksum)
        bytes.append(bigEndian: walOffset)
        bytes.append(bigEndian: walByteCount)
        bytes.append(bigEndian: walSalt1)
        bytes.append(bigEndian: walSalt2)
        bytes.append(bigEndian: nodeID)
        bytes.append(bigEndian: sourceMark == nil ? 0 : SourceMark.magic)
        bytes.append(bigEndian: sourceMark?.checksum ?? 0)
        bytes.append(bigEndian: sourceMark?.epoch ?? 0)
        return bytes
    }
}
