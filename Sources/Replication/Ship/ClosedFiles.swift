package import LTX
import Synchronization

/// A transaction file that is durable in the metadata folder, as its shipper needs to know it.
package struct ClosedFile: Sendable {
    package let header: LTXHeader
    package let trailer: LTXTrailer
    /// The size in bytes.
    package let byteCount: Int64

    package var transaction: TransactionID { header.maxTXID }
}

/// The transaction files of this run that wait to be shipped, so that their shipper needs to ask neither the engine nor
/// the disk for them.
package final class ClosedFiles: Sendable {
    private let files = Mutex<[TransactionID: ClosedFile]>([:])

    /// Whether a file later than `id` waits; `nil`: any.
    func hasFiles(after id: TransactionID?) -> Bool {
        files.withLock { files in files.keys.contains { file in id.map { file > $0 } ?? true } }
    }

    /// Notes a file that is durable in the metadata folder.
    func add(_ file: ClosedFile) { files.withLock { $0[file.transaction] = file } }

    /// The file of one transaction, if it was closed in this run and waits.
    package func file(_ id: TransactionID) -> ClosedFile? { files.withLock { $0[id] } }

    /// Forgets files that are shipped. Returns their size in bytes; `nil` where that of `id` is not among them.
    func remove(through id: TransactionID) -> Int64? {
        files.withLock { files in
            guard files[id] != nil else { return nil }
            let shipped = files.filter { $0.key <= id }
            for id in shipped.keys { files[id] = nil }
            return shipped.values.reduce(0) { $0 + $1.byteCount }
        }
    }

    /// Forgets all files: they are no part of the history any more.
    func removeAll() { files.withLock { $0 = [:] } }
}
