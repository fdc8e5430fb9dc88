/// The header of a transaction file: its first 100 bytes.
///
/// | offset | size | field |
/// | --- | --- | --- |
/// | 0 | 4 | magic `LTX1` |
/// | 4 | 4 | flags: 2 unless the file tracks the database checksum |
/// | 8 | 4 | page size |
/// | 12 | 4 | commit |
/// | 16 | 8 | minimum transaction ID |
/// | 24 | 8 | maximum transaction ID |
/// | 32 | 8 | timestamp |
/// | 40 | 8 | pre-apply checksum |
/// | 48 | 8 | WAL offset |
/// | 56 | 8 | WAL size |
/// | 64 | 8 | WAL salts |
/// | 72 | 8 | node ID |
/// | 80 | 20 | reserved; see ``SourceMark`` |
///
/// All integers are big-endian.
public struct LTXHeader: Hashable, Sendable {
    /// The size of a header in bytes.
    public static let byteCount = 100

    /// The page size in bytes, a power of two from 512 to 65,536.
    public var pageSize: Int
    /// The size of the database in pages after this file.
    public var commit: UInt32
    /// The first transaction in the file.
    public var minTXID: TransactionID
    /// The last transaction in the file.
    public var maxTXID: TransactionID
    /// When encoding began, or for a merged file that of its last input: milliseconds since 1970-01-01 UTC.
    public var timestampMilliseconds: Int64
    /// Where in the WAL the new frames began, in bytes, or 0.
    public var walOffset: Int64
    /// How many bytes of the WAL the file covers, or 0.
    public var walByteCount: Int64
    /// The first salt of that WAL, or 0.
    public var walSalt1: UInt32
    /// The second salt of that WAL, or 0.
    public var walSalt2: UInt32
    /// The checksum of the database after this file, where the writer knew it.
    public var sourceMark: SourceMark?
    /// The node of a cluster that wrote the file, or the last input of a merged one; 0 outside a cluster, and in all of
    /// Litestream's files, which ignores it.
    public var nodeID: UInt64 = 0
    /// Whether the file carries the format's own rolling checksums. Litestream 0.5 writes none, and cannot merge files
    /// that do; they are read here, and never written.
    public var tracksChecksum = false
    /// The rolling checksum before this file; 0 unless ``tracksChecksum``.
    public var preApplyChecksum: UInt64 = 0

    /// Creates the header of a file to be written.
    ///
    /// The rules are checked when it is used; see ``validate()``.
    public init(
        pageSize: Int,
        commit: UInt32,
        minTXID: TransactionID,
        maxTXID: TransactionID,
        timestampMilliseconds: Int64,
        walOffset: Int64 = 0,
        walByteCount: Int64 = 0,
        walSalt1: UInt32 = 0,
        walSalt2: UInt32 = 0,
        sourceMark: SourceMark? = nil
    ) {
        self.pageSize = pageSize
        self.commit = commit
        (self.minTXID, self.maxTXID) = (minTXID, maxTXID)
        self.timestampMilliseconds = timestampMilliseconds
        (self.walOffset, self.walByteCount) = (walOffset, walByteCount)
        (self.walSalt1, self.walSalt2) = (walSalt1, walSalt2)
        self.sourceMark = sourceMark
    }

    /// Whether the file begins at the first transaction, and so must hold every page but the lock page.
    public var isSnapshot: Bool { minTXID == .first }

    /// The name of a file with this header.
    ///
    /// - Precondition: `minTXID <= maxTXID`, which every parsed header obeys.
    public var fileName: LTXFileName { LTXFileName(min: minTXID, max: maxTXID) }

    /// Checks the rules that hold between the fields.
    ///
    /// - Throws: ``LTXError`` with code `invalidHeader`.
    public func validate() throws(LTXError) {
        guard LTXPageSize.isValid(pageSize) else { throw .header("has page size \(pageSize), which no database has") }
        guard minTXID <= maxTXID else { throw .header("ends at transaction \(maxTXID), before its first, \(minTXID)") }
        guard walOffset >= 0, walByteCount >= 0 else {
            throw .header("has a negative place in the WAL (offset \(walOffset), size \(walByteCount))")
        }
        guard walOffset != 0 || (walSalt1 == 0 && walSalt2 == 0 && walByteCount == 0) else {
            throw .header("names a WAL (size \(walByteCount)) but no offset in it")
        }
        if isSnapshot || !tracksChecksum {
            guard preApplyChecksum == 0 else {
                throw .header("has pre-apply checksum \(HexDigits.text(of: preApplyChecksum)), where none may be")
            }
        } else {
            guard preApplyChecksum & FileChecksum.flag != 0 else {
                throw .header("has pre-apply checksum \(HexDigits.text(of: preApplyChecksum)), which lacks bit 63")
            }
        }
    }
}

extension LTXError {
    static func header(_ fact: String) -> Self { Self(.invalidHeader, "The header \(fact).") }
}
