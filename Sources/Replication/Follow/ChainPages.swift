import LTX
import NIOCore
import NIOPosix
import ObjectStorage
package import SystemPackage

/// Gets from a replica those pages of its newest state that a database beside the chain does not have.
///
/// The two parted at a fork. What can differ is what the database has changed since, what the chain has changed since,
/// and what the chain's database is longer by: page indexes tell of it, from the newest file to the oldest, and the pages
/// alone are read. Whether they are all is for the mark of the newest file to tell, when they are applied.
package struct ChainPages: Sendable {
    /// More pages are not got one by one.
    package static let pageLimit = 2048
    /// Nor more bytes of them.
    package static let byteLimit = 16 << 20
    /// How many files, and then parts of one, are asked for at a time.
    private static let width = 8

    private let replica: Replica
    private let scratch: FilePath

    /// Takes the replica, and a name beside which long page indexes may be kept for a while.
    package init(_ replica: Replica, scratch: FilePath) { (self.replica, self.scratch) = (replica, scratch) }

    /// What a database differs by from the replica's newest state.
    ///
    /// - Parameters:
    ///   - fork: The last transaction that the database has in common with the replica.
    ///   - touched: The pages that its own transactions have changed since.
    ///   - pageCount: Its size in pages.
    ///   - pageSize: The size of its pages in bytes.
    /// - Returns: One transaction that leads there; `nil` where it would be too large, or the replica does not tell.
    /// - Throws: ``ReplicaError``, `LTXError`, `CancellationError`.
    package func newest(
        behind fork: UInt64,
        touched: Set<UInt32>,
        pageCount: UInt32,
        pageSize: Int
    ) async throws -> DecodedTransaction? {
        let plan = try await Restorer(replica).plan(.latest)
        var (rest, search): (ArraySlice<ReplicaFile>, ChainPageSearch?) = (plan.files[...], nil)
        var found: [UInt32: [UInt8]] = [:]
        while !rest.isEmpty {
            for file in try await open(rest.suffix(Self.width)).reversed() {
                if search == nil {
                    search = ChainPageSearch(file, behind: fork, touched, pageCount: pageCount, pageSize: pageSize)
                }
                guard let before = search, before.pageSize == file.header.pageSize else { return nil }
                let (after, entries) = try await onDisk {
                    var search = before
                    let entries = try search.look(into: file)
                    return (search, entries)
                }
                search = after
                guard !after.isTooLarge else { return nil }
                for (page, image) in try await read(entries, of: file) { found[page] = image }
                if after.isComplete(behind: file.file.min.rawValue - 1) { return after.transaction(found) }
            }
            rest = rest.dropLast(Self.width)
        }
        return nil
    }

    private func open(_ files: ArraySlice<ReplicaFile>) async throws -> [OpenedFile] {
        let opener = FileOpener(replica: replica, pool: .singleton, scratch: scratch)
        return try await withThrowingTaskGroup(of: (Int, OpenedFile).self) { group in
            for (index, file) in files.enumerated() {
                group.addTask { (index, try await opener.open(file)) }
            }
            let opened = try await group.reduce(into: [Int: OpenedFile]()) { $0[$1.0] = $1.1 }
            return opened.sorted { $0.key < $1.key }.map(\.value)
        }
    }

    /// Reads and checks the frames of some pages of a file.
    private func read(_ entries: [PageIndexEntry], of file: OpenedFile) async throws -> [(UInt32, [UInt8])] {
        var (pages, runs): ([(UInt32, [UInt8])], ArraySlice<ChainPageRun>) = ([], ChainPageRun.runs(of: entries)[...])
        while !runs.isEmpty {
            let next = runs.prefix(Self.width)
            pages += try await withThrowingTaskGroup(of: [(UInt32, [UInt8])].self) { group in
                for run in next { group.addTask { try await read(run, of: file) } }
                return try await group.reduce(into: []) { $0 += $1 }
            }
            runs = runs.dropFirst(Self.width)
        }
        return pages
    }

    private func read(_ run: ChainPageRun, of file: OpenedFile) async throws -> [(UInt32, [UInt8])] {
        let pageSize = file.header.pageSize
        switch file.content {
        case .store:
            let bytes = try await replica.read(file.file, run.range)
            // SAFETY of all three: the elements are bytes, all of them initialized.
            return try await onDisk { try run.decode(unsafe bytes.readableBytesUInt8Span.bytes, pageSize: pageSize) }
        case .bytes(let bytes):
            return try await onDisk {
                let range = Int(run.range.lowerBound)..<Int(run.range.upperBound)
                return try run.decode(
                    unsafe bytes.readableBytesUInt8Span.bytes.extracting(range),
                    pageSize: pageSize
                )
            }
        case .local(let source):
            return try await onDisk {
                var bytes = [UInt8](repeating: 0, count: run.range.count)
                try unsafe bytes.withUnsafeMutableBytes { unsafe try source.read(into: $0, at: run.range.lowerBound) }
                return try run.decode(unsafe bytes.span.bytes, pageSize: pageSize)
            }
        }
    }
}
