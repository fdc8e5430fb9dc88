/// A row of `sqlite_schema`: a table or an index, and where its b-tree begins.
///
/// Format: <https://www.sqlite.org/fileformat2.html#storage_of_the_sql_database_schema>
struct SchemaRow {
    /// The encodings that a database's texts can have, by the number in its header.
    enum TextEncoding: UInt32 {
        case utf8 = 1
        case utf16LittleEndian
        case utf16BigEndian
    }

    /// Its name.
    let name: String
    /// The table that it is, or that it belongs to.
    let table: String
    /// Whether it is an index.
    let isIndex: Bool
    /// The first page of its b-tree.
    let root: UInt32

    /// No name is taken in longer than this: a hostile one would fill a report.
    static let nameLimit = 200

    /// Reads the beginning of a record; `nil` where it is no table and no index, has no pages, or is no such record.
    ///
    /// - Parameters:
    ///   - record: The row's payload, of which the first four columns must be there.
    ///   - encoding: The encoding of the database's texts.
    init?(_ record: [UInt8], encoding: TextEncoding) {
        var at = 0
        guard let headerByteCount = record.varint(at: &at), headerByteCount <= UInt64(record.count) else { return nil }
        var (value, columns) = (Int(headerByteCount), [(type: UInt64, bytes: ArraySlice<UInt8>)]())
        for _ in 0..<4 {
            guard at < Int(headerByteCount), let type = record.varint(at: &at),
                let byteCount = Self.byteCount(of: type), byteCount <= record.count - value
            else { return nil }
            columns.append((type, record[value..<value + byteCount]))
            value += byteCount
        }
        guard let kind = Self.text(columns[0], encoding), kind == "table" || kind == "index",
            let name = Self.text(columns[1], encoding), let table = Self.text(columns[2], encoding),
            let root = Self.integer(columns[3]), let root = UInt32(exactly: root), root > 0
        else { return nil }
        (self.name, self.table, isIndex, self.root) = (name, table, kind == "index", root)
    }

    /// The size of a value by its serial type; `nil` for the reserved ones and for what no record can hold.
    private static func byteCount(of type: UInt64) -> Int? {
        switch type {
        case 0, 8, 9: 0
        case 1...4: Int(type)
        case 5: 6
        case 6, 7: 8
        case 10, 11: nil
        default: Int(exactly: (type - 12) / 2)
        }
    }

    private static func integer(_ column: (type: UInt64, bytes: ArraySlice<UInt8>)) -> Int64? {
        switch column.type {
        case 8: return 0
        case 9: return 1
        case 1...6:
            guard let first = column.bytes.first else { return nil }
            return column.bytes.reduce(first >= 0x80 ? -1 : 0) { $0 << 8 | Int64($1) }
        default: return nil
        }
    }

    private static func text(_ column: (type: UInt64, bytes: ArraySlice<UInt8>), _ encoding: TextEncoding) -> String? {
        guard column.type >= 13, !column.type.isMultiple(of: 2) else { return nil }
        let bytes = Array(column.bytes)
        let text: String
        switch encoding {
        case .utf8: text = String(decoding: bytes, as: UTF8.self)
        case .utf16LittleEndian, .utf16BigEndian:
            let isBig = encoding == .utf16BigEndian
            let units = stride(from: 0, to: bytes.count - 1, by: 2).map { index in
                UInt16(bytes[isBig ? index : index + 1]) << 8 | UInt16(bytes[isBig ? index + 1 : index])
            }
            text = String(decoding: units, as: UTF16.self)
        }
        return String(text.prefix(nameLimit))
    }
}
