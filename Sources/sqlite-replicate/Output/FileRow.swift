import SQLiteReplicate

/// A file of a replica as it is listed.
struct FileRow: Encodable {
    var level: Int
    var name: String?
    var minTxid: String
    var maxTxid: String
    var size: Int64
    var timestamp: String

    /// - Parameter hasName: Whether the file's name is listed, too.
    init(_ file: ListedFile, hasName: Bool) {
        (level, name, size) = (file.level, hasName ? file.name : nil, file.byteCount)
        (minTxid, maxTxid) = (TransactionNumber.text(file.minTXID), TransactionNumber.text(file.maxTXID))
        timestamp = Commands.rfc3339(milliseconds: file.createdMilliseconds)
    }
}
