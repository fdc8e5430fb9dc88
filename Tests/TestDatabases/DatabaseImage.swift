import Foundation
public import SystemPackage

/// A whole database in memory, to be compared page for page.
public struct DatabaseImage: Hashable, Sendable {
    /// Bytes in a page.
    public let pageSize: Int
    /// All pages, in their order.
    public let bytes: [UInt8]

    /// Creates an image from its parts.
    public init(pageSize: Int, bytes: [UInt8]) {
        (self.pageSize, self.bytes) = (pageSize, bytes)
    }

    /// Reads a database file that has no WAL, such as a restored one, without SQLite.
    ///
    /// Never of a database that is open in this process: closing the file drops the locks that SQLite holds on it. The
    /// page size is taken from the file's header; an empty file has page size 0.
    public init(file: FilePath) throws {
        let data = try Data(contentsOf: URL(filePath: file.string))
        bytes = [UInt8](data)
        let stored = bytes.count >= 18 ? Int(bytes[16]) << 8 | Int(bytes[17]) : 0
        pageSize = stored == 1 ? 65536 : stored
    }

    /// The number of pages.
    public var pageCount: Int { pageSize == 0 ? 0 : bytes.count / pageSize }

    /// The numbers, from 1, of the pages that differ from `other`'s, those that only one has included.
    ///
    /// - Parameter limit: At most so many are looked for.
    public func differences(from other: Self, limit: Int = 20) -> [Int] {
        guard pageSize == other.pageSize, pageSize > 0 else { return self == other ? [] : [1] }
        var different: [Int] = []
        for page in 1...max(pageCount, other.pageCount, 1) where different.count < limit {
            if self[page] != other[page] { different.append(page) }
        }
        return different
    }

    /// Why this image is not `other`, in words; `nil` if it is.
    public func complaint(comparedWith other: Self) -> String? {
        if self == other { return nil }
        let pages = differences(from: other).map(String.init).joined(separator: ", ")
        return
            "\(pageCount) pages of \(pageSize) bytes against \(other.pageCount) of \(other.pageSize); different: \(pages)"
    }

    private subscript(page: Int) -> ArraySlice<UInt8>? {
        page <= pageCount ? bytes[(page - 1) * pageSize..<page * pageSize] : nil
    }
}
