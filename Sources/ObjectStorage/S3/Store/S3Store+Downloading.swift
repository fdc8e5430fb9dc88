import NIOCore
import NIOPosix
public import SystemPackage

extension S3Store {
    /// Bytes that one request of a download asks for.
    private static let downloadPart: Int64 = 8 << 20

    public func download(_ key: String, to file: FilePath) async throws(ObjectStoreError) -> Int64 {
        let threadPool = client.threadPool
        let target = try await threadPool.run { () throws(ObjectStoreError) in try DownloadFile(file) }
        do throws(ObjectStoreError) {
            let byteCount = try await restarting { () async throws(ObjectStoreError) in try await fill(target, key) }
            try await threadPool.run { () throws(ObjectStoreError) in try target.finish(byteCount: byteCount) }
            return byteCount
        } catch {
            // Not on the thread pool, which does nothing for a cancelled task; and it takes no time.
            removeUnfinished(file)
            throw error
        }
    }

    /// Reads the first part, which tells the size, then the others side by side.
    ///
    /// - Returns: The object's size.
    private func fill(_ target: DownloadFile, _ key: String) async throws(ObjectStoreError) -> Int64 {
        let first: S3ReadState
        do throws(ObjectStoreError) {
            first = try await fill(target, key, 0..<Self.downloadPart, mayEndEarly: true, version: nil)
        } catch {
            // An empty object has no first byte.
            guard error.code == .truncated, try await head(key).byteCount == 0 else { throw error }
            return 0
        }
        let byteCount = first.byteCount ?? first.position
        guard first.position < byteCount else { return byteCount }
        let parts = Int((byteCount - first.position + Self.downloadPart - 1) / Self.downloadPart)
        _ = try await sideBySide(parts, width: client.concurrency) { number async throws(ObjectStoreError) in
            let start = first.position + Int64(number) * Self.downloadPart
            let range = start..<min(start + Self.downloadPart, byteCount)
            try await self.fill(target, key, range, mayEndEarly: false, version: first.version)
        }
        return byteCount
    }

    @discardableResult
    private func fill(
        _ target: DownloadFile,
        _ key: String,
        _ range: Range<Int64>,
        mayEndEarly: Bool,
        version: ObjectVersion?
    ) async throws(ObjectStoreError) -> S3ReadState {
        var pending = ByteBuffer()
        let threadPool = client.threadPool
        let state = try await read(
            key,
            range: range,
            mayEndEarly: mayEndEarly,
            version: version
        ) { piece, state async throws(S3Failure) in
            pending.writeImmutableBuffer(piece)
            guard pending.readableBytes >= OpenFile.blockSize else { return }
            let (bytes, end) = (pending, state.position)
            pending = ByteBuffer()
            do throws(ObjectStoreError) {
                try await threadPool.run { () throws(ObjectStoreError) in try target.write(bytes, endingAt: end) }
            } catch {
                throw S3Failure(error: error)
            }
        }
        let (bytes, end) = (pending, state.position)
        try await threadPool.run { () throws(ObjectStoreError) in try target.write(bytes, endingAt: end) }
        return state
    }
}

/// The file of a download. All its methods block.
private struct DownloadFile: Sendable {
    let path: FilePath
    let file: OpenFile

    init(_ path: FilePath) throws(ObjectStoreError) {
        self.path = path
        do throws(Errno) {
            file = try .creatingDownload(path)
        } catch {
            throw .file("Writing", path, error)
        }
    }

    func write(_ bytes: ByteBuffer, endingAt end: Int64) throws(ObjectStoreError) {
        do throws(Errno) {
            let offset = end - Int64(bytes.readableBytes)
            try file.write(bytes, at: offset)
            file.startWriting(offset: offset, byteCount: bytes.readableBytes)
        } catch {
            throw .file("Writing", path, error)
        }
    }

    func finish(byteCount: Int64) throws(ObjectStoreError) {
        do throws(Errno) {
            // A version that was replaced while it was read may have been longer.
            try file.setSize(byteCount)
            try file.sync()
        } catch {
            throw .file("Writing", path, error)
        }
    }
}
