import LTX
import SQLiteFormat

/// What the metadata folder knows of the pages at two places: the recorded one, and the newest local file's.
///
/// The capture engine stores its page table now and then; the transaction files behind it lead to later states. A mark
/// proves each result.
struct LocalTables {
    /// At the recorded place; `nil` where it is not known.
    private(set) var atRecorded: PageTable?
    /// At the newest of the files ahead, or at the recorded place where there is none; `nil` where it is not known.
    private(set) var newest: PageTable?

    init(
        _ folder: MetadataFolder,
        pageSize: Int,
        recorded: ChainState,
        ahead: [LocalTransaction]
    ) throws {
        guard let size = PageSize(byteCount: pageSize),
            let stored = try StoredPageTable(contentsOf: folder.pageTableFile), stored.pageSize == size
        else { return }
        var table = stored.table
        var number = stored.transaction.rawValue
        while number < recorded.number {
            number += 1
            guard let id = TransactionID(exactly: number),
                let file = try? LocalTransaction(folder.transactionFile(id)), Self.advance(&table, by: file)
            else { return }
        }
        if number == recorded.number {
            guard table.checksum == recorded.checksum else { return }
            atRecorded = table
        }
        for file in ahead where file.state.number > number {
            let place = ChainState(number: number, checksum: table.checksum, epoch: 0)
            guard file.follows(place), Self.advance(&table, by: file) else { return }
            number = file.state.number
        }
        let tip = ahead.last?.state ?? recorded
        if number == tip.number, table.checksum == tip.checksum { newest = table }
    }

    static func advance(_ table: inout PageTable, by file: LocalTransaction) -> Bool {
        var new = table
        let pageSize = file.header.pageSize
        guard let source = try? TransactionFileSource(path: file.path),
            (try? LTXVerifier(source).verify(as: file.header.fileName) { page, _, remainder in
                new.set(page, DatabaseChecksum.page(number: page, remainder: remainder, pageSize: pageSize))
            }) != nil
        else { return false }
        new.resize(to: file.header.commit)
        guard new.checksum == file.state.checksum else { return false }
        table = new
        return true
    }
}
