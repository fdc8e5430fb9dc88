public import LTX
import NIOCore
public import ObjectStorage
public import SystemPackage

/// A replica: transaction files in a store, under the names that Litestream gives them.
///
/// A value without state of its own: it may be used by any number of tasks at a time.
public struct Replica: Sendable {
    /// Where the files lie.
    public let store: any ObjectStore
    /// How they are named there.
    public let layout: ReplicaLayout

    /// Creates a replica; nothing is asked of the store before the first call.
    public init(store: any ObjectStore, layout: ReplicaLayout) {
        (self.store, self.layout) = (store, layout)
    }

    /// Lists the files of some levels, all levels at a time; foreign names and temporary files are left out.
    ///
    /// - Parameter levels: The levels to ask for, one listing each.
    /// - Throws: ``ReplicaError`` with code `storage` or `cancelled`.
    public func list(levels: some Sequence<Int> = ReplicaLayout.levels) async throws(ReplicaError) -> ReplicaListing {
        let results = await withTaskGroup(of: Result<[ReplicaFile], ReplicaError>.self) { group in
            for level in Set(levels) {
                group.addTask { await catching { () async throws(ReplicaError) in try await list(level: level) } }
            }
            return await group.reduce(into: []) { $0.append($1) }
        }
        var files: [ReplicaFile] = []
        for result in results { files += try result.get() }
        return ReplicaListing(files)
    }

    private func list(level: Int) async throws(ReplicaError) -> [ReplicaFile] {
        do {
            return try await store.list(prefix: layout.prefix(level: level)).compactMap {
                layout.file($0, level: level)
            }
        } catch { throw ReplicaError(error) }
    }

    /// Reads a file's header.
    ///
    /// - Throws: ``ReplicaError`` with code `storage` or `cancelled`, or `damaged` where the file is too short for a
    ///   header, breaks its rules, or is of other transactions than its name says.
    public func header(of file: ReplicaFile) async throws(ReplicaError) -> LTXHeader {
        guard !file.isTooShort else { throw .damaged(file, "has \(file.byteCount) bytes and cannot be whole") }
        let bytes = try await read(file, 0..<Int64(LTXHeader.byteCount))
        // SAFETY: the elements are bytes, all of them initialized.
        return try file.header(parsing: unsafe bytes.readableBytesUInt8Span.bytes)
    }

    /// Reads a file's trailer.
    ///
    /// - Throws: ``ReplicaError`` with code `storage`, `cancelled` or `damaged`.
    public func trailer(of file: ReplicaFile) async throws(ReplicaError) -> LTXTrailer {
        guard !file.isTooShort else { throw .damaged(file, "has \(file.byteCount) bytes and cannot be whole") }
        let bytes = try await read(file, file.byteCount - Int64(LTXTrailer.byteCount)..<file.byteCount)
        do {
            // SAFETY: the elements are bytes, all of them initialized.
            return try LTXTrailer(parsing: unsafe bytes.readableBytesUInt8Span.bytes)
        } catch {
            throw .damaged(file, "has a malformed trailer", cause: error)
        }
    }

    /// Reads bytes of a file.
    func read(_ file: ReplicaFile, _ range: Range<Int64>) async throws(ReplicaError) -> ByteBuffer {
        do { return try await store.get(file.key, range: range) } catch {
            switch error.code {
            case .notFound: throw .changing(file, "is gone", cause: error)
            case .truncated: throw .damaged(file, "ends before its byte \(range.upperBound)", cause: error)
            default: throw ReplicaError(error)
            }
        }
    }

    /// Stores a finished local file under the name of its level and range.
    ///
    /// - Parameters:
    ///   - source: The local file, which must not change meanwhile.
    ///   - header: Its header, which gives the name and the time kept with it.
    ///   - byteCount: Its size in bytes.
    ///   - level: The level.
    ///   - condition: What must hold at the store.
    ///   - isTemporary: Whether nobody needs the local file any more: then the store may take it.
    /// - Returns: The file as a listing tells of it.
    /// - Throws: ``ReplicaError`` with code `storage` or `cancelled`.
    public func put(
        _ source: FilePath,
        header: LTXHeader,
        byteCount: Int64,
        level: Int,
        condition: PutCondition = .none,
        isTemporary: Bool = false
    ) async throws(ReplicaError) -> ReplicaFile {
        let created = Timestamp(rawValue: header.timestampMilliseconds)
        let key = layout.key(level: level, min: header.minTXID, max: header.maxTXID)
        let body: ObjectBody = isTemporary ? .temporary(source) : .file(source)
        do {
            try await store.put(key, body, metadata: ObjectMetadata(timestamp: created), condition: condition)
        } catch { throw ReplicaError(error) }
        return ReplicaFile(
            level: level,
            min: header.minTXID,
            max: header.maxTXID,
            byteCount: byteCount,
            created: created,
            key: key
        )
    }

    /// Where to make a file that is to be put with `isTemporary`; `nil` where any place is as good.
    func placeForTemporary(
        _ level: Int,
        _ min: TransactionID,
        _ max: TransactionID
    ) async throws(ReplicaError) -> FilePath? {
        do {
            return try await store.placeForTemporary(layout.key(level: level, min: min, max: max))
        } catch { throw ReplicaError(error) }
    }

    /// Deletes files; one that is not there any more is no error.
    ///
    /// - Throws: ``ReplicaError`` with code `storage` or `cancelled`; some of the files may be gone then.
    public func delete(_ files: [ReplicaFile]) async throws(ReplicaError) {
        guard !files.isEmpty else { return }
        do { try await store.delete(files.map(\.key)) } catch { throw ReplicaError(error) }
    }
}

extension ReplicaFile {
    /// Parses the file's first bytes, and compares what they say with the name.
    func header(parsing bytes: RawSpan) throws(ReplicaError) -> LTXHeader {
        let header: LTXHeader
        do { header = try LTXHeader(parsing: bytes) } catch {
            throw .damaged(self, "has a malformed header", cause: error)
        }
        guard header.minTXID == min, header.maxTXID == max else {
            throw .damaged(self, "holds transactions \(header.minTXID) to \(header.maxTXID), not those of its name")
        }
        return header
    }
}

/// The outcome of `body` as a value, so that task groups can pass on typed errors.
func catching<Value: Sendable>(
    _ body: () async throws(ReplicaError) -> Value
) async -> Result<Value, ReplicaError> {
    do { return .success(try await body()) } catch { return .failure(error) }
}
