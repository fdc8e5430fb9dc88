import Foundation
import LTX
import Replication
import SystemPackage
import TestDatabases
import TestSupport

/// Lays a database's local transaction files one upon the other, as a replica would, and holds them to their rules:
/// ids without a gap, every page of a growing transaction present, and the checksum of the whole database in each.
struct LocalReplay {
    /// The state after the last file.
    private(set) var image: [UInt8] = []
    private(set) var pageSize = 0
    /// The last file that was laid.
    private(set) var last: TransactionID?
    /// The times that the files carry.
    private(set) var timestamps: [Int64] = []
    /// The page counts of the files.
    private(set) var pageCounts: [Int] = []
    /// The content of each file when it was laid.
    private var fingerprints: [TransactionID: UInt64] = [:]
    private let folder: MetadataFolder
    private let checksEachMark: Bool

    init(of database: FilePath, checksEachMark: Bool = false) {
        folder = MetadataFolder(root: MetadataFolder.defaultPath(for: database))
        self.checksEachMark = checksEachMark
    }

    /// The state as an image to compare with.
    var database: DatabaseImage { DatabaseImage(pageSize: pageSize, bytes: image) }

    /// Lays all files that are new.
    mutating func follow() throws {
        while true {
            let next = last?.next ?? .first
            guard let bytes = FileManager.default.contents(atPath: folder.transactionFile(next).string) else { return }
            try lay(next, [UInt8](bytes))
        }
    }

    private mutating func lay(_ id: TransactionID, _ bytes: [UInt8]) throws {
        var pages: [UInt32: [UInt8]] = [:]
        let name = LTXFileName(min: id, max: id)
        let summary = try LTXVerifier(MemorySource(bytes, name: name.description)).verify(as: name) { number, page, _ in
            pages[number] = page.withUnsafeBytes { Array($0) }
        }
        let header = summary.header
        pageSize = header.pageSize
        let (before, commit) = (UInt32(image.count / pageSize), header.commit)
        let lockPage = UInt32(0x4000_0000 / pageSize) + 1
        if commit > before {
            for page in before + 1...commit where page != lockPage && pages[page] == nil {
                throw TestSupportError("\(name): grows from \(before) to \(commit) pages and lacks page \(page)")
            }
        }
        let size = Int(commit) * pageSize
        if image.count > size {
            image.removeLast(image.count - size)
        } else {
            image.append(contentsOf: repeatElement(0, count: size - image.count))
        }
        for (number, page) in pages {
            guard number <= commit else { throw TestSupportError("\(name): page \(number) beyond \(commit)") }
            let offset = (Int(number) - 1) * pageSize
            image.replaceSubrange(offset..<offset + pageSize, with: page)
        }
        last = id
        fingerprints[id] = CRC64.checksum(of: bytes.span.bytes)
        timestamps.append(header.timestampMilliseconds)
        pageCounts.append(pages.count)
        if checksEachMark, header.sourceMark?.checksum != checksum {
            throw TestSupportError("\(name): its mark is not the checksum of the database")
        }
    }

    /// Makes sure that no file has changed since it was laid: an id never gets a second content.
    func checkThatFilesStand() throws {
        for (id, fingerprint) in fingerprints {
            guard let bytes = FileManager.default.contents(atPath: folder.transactionFile(id).string) else { continue }
            guard CRC64.checksum(of: [UInt8](bytes).span.bytes) == fingerprint else {
                throw TestSupportError("transaction \(id) has got another content")
            }
        }
    }

    /// The checksum of the state, counted anew.
    var checksum: UInt64 {
        let lockPage = 0x4000_0000 / pageSize + 1
        let bytes = image.span.bytes
        var sum: UInt64 = 0
        for page in 0..<image.count / pageSize where page + 1 != lockPage {
            let remainder = CRC64.remainder(of: bytes.extracting(page * pageSize..<(page + 1) * pageSize))
            sum ^= DatabaseChecksum.page(number: UInt32(page + 1), remainder: remainder, pageSize: pageSize)
        }
        return sum
    }

    /// Compares the state with what the source is now; throws a description of the first difference.
    func check(against source: DatabaseImage, _ context: @autoclosure () -> String) throws {
        if let complaint = database.complaint(comparedWith: source) {
            throw TestSupportError("after transaction \(last.map(\.description) ?? "none"): \(complaint); \(context())")
        }
    }
}
