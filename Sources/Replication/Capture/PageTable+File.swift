import LTX
import SQLiteFormat
import SystemPackage

/// A page table in a file of the metadata folder, stamped with the transaction that it describes.
///
/// | offset | size | field |
/// | --- | --- | --- |
/// | 0 | 8 | `SRPAGES1` |
/// | 8 | 8 | transaction id |
/// | 16 | 8 | file checksum of that transaction's file |
/// | 24 | 4 | page size |
/// | 28 | 4 | number of pages |
/// | 32 | 8 each | checksums |
/// | end | 8 | CRC-64/ISO of all before |
///
/// All integers are little-endian: the file never leaves the host.
struct StoredPageTable: Sendable {
    var transaction: TransactionID
    var fileChecksum: UInt64
    var pageSize: PageSize
    var table: PageTable

    private static let magic = Array("SRPAGES1".utf8)
    private static let headerByteCount = 32

    /// The file's bytes.
    func encoded() -> [UInt8] {
        var bytes = Self.magic
        bytes.reserveCapacity(Self.headerByteCount + table.entries.count * 8 + 8)
        append(transaction.rawValue, to: &bytes)
        append(fileChecksum, to: &bytes)
        append(UInt32(pageSize.byteCount), to: &bytes)
        append(table.count, to: &bytes)
        unsafe table.entries.withUnsafeBytes { unsafe bytes.append(contentsOf: $0) }
        unsafe append(CRC64.checksum(of: bytes.span.bytes), to: &bytes)
        return bytes
    }

    /// Reads a file; `nil` where it is missing, torn or of another kind: then the table is made anew.
    init?(contentsOf path: FilePath) throws {
        guard let status = try FileStatus(path: path), status.byteCount >= Int64(Self.headerByteCount + 8),
            status.byteCount < 1 << 40,
            let bytes = try Disk.contents(of: path, limit: Int(status.byteCount))
        else { return nil }
        self.init(parsing: bytes)
    }

    init(transaction: TransactionID, fileChecksum: UInt64, pageSize: PageSize, table: PageTable) {
        (self.transaction, self.fileChecksum) = (transaction, fileChecksum)
        (self.pageSize, self.table) = (pageSize, table)
    }

    private init?(parsing bytes: [UInt8]) {
        let span = unsafe bytes.span.bytes
        guard bytes.starts(with: Self.magic), bytes.count >= Self.headerByteCount + 8 else { return nil }
        func integer<T: FixedWidthInteger & BitwiseCopyable>(_ offset: Int) -> T {
            // SAFETY: the load checks its bounds, and any bytes make a valid integer.
            T(littleEndian: unsafe span.unsafeLoadUnaligned(fromByteOffset: offset, as: T.self))
        }
        let count = Int(integer(28) as UInt32)
        guard bytes.count == Self.headerByteCount + count * 8 + 8,
            integer(bytes.count - 8) == CRC64.checksum(of: span.extracting(0..<bytes.count - 8)),
            let transaction = TransactionID(exactly: integer(8)),
            let pageSize = PageSize(byteCount: Int(integer(24) as UInt32))
        else { return nil }
        let entries = unsafe [UInt64](unsafeUninitializedCapacity: count) { buffer, initialized in
            for index in 0..<count {
                unsafe buffer.initializeElement(at: index, to: integer(Self.headerByteCount + index * 8))
            }
            initialized = count
        }
        self.init(
            transaction: transaction,
            fileChecksum: integer(16),
            pageSize: pageSize,
            table: PageTable(entries: entries)
        )
    }

    private func append<T: FixedWidthInteger>(_ value: T, to bytes: inout [UInt8]) {
        unsafe withUnsafeBytes(of: value.littleEndian) { unsafe bytes.append(contentsOf: $0) }
    }
}
