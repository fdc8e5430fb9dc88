import AsyncHTTPClient
import Crypto
import NIOCore
import NIOPosix
import SystemPackage

/// The bytes of a request, which can be read as often as it is sent.
enum S3Body: Sendable {
    case bytes(ByteBuffer)
    case file(OpenFile, path: FilePath, range: Range<Int64>)

    var byteCount: Int64 {
        switch self {
        case .bytes(let bytes): Int64(bytes.readableBytes)
        case .file(_, _, let range): Int64(range.count)
        }
    }

    /// A part of these bytes.
    func slice(_ part: Range<Int64>) -> S3Body {
        switch self {
        case .bytes(let bytes):
            let start = bytes.readerIndex + Int(part.lowerBound)
            return .bytes(bytes.getSlice(at: start, length: part.count) ?? ByteBuffer())
        case .file(let file, let path, let range):
            let start = range.lowerBound + part.lowerBound
            return .file(file, path: path, range: start..<start + Int64(part.count))
        }
    }

    /// The SHA-256 of all bytes in hexadecimal, computed on the thread pool where they are many.
    func sha256(_ threadPool: NIOThreadPool) async throws(ObjectStoreError) -> String {
        switch self {
        case .bytes(let bytes):
            if bytes.readableBytes <= S3BodyPieces.pieceSize { return SHA256.hash(bytes: bytes).hexadecimal }
            return try await threadPool.run { () throws(ObjectStoreError) in SHA256.hash(bytes: bytes).hexadecimal }
        case .file(let file, let path, let range):
            return try await threadPool.run { () throws(ObjectStoreError) in
                var hash = SHA256()
                var offset = range.lowerBound
                while offset < range.upperBound {
                    let count = min(range.upperBound - offset, Int64(OpenFile.blockSize))
                    let piece = try file.piece(byteCount: Int(count), at: offset, path: path)
                    hash.update(bytes: piece)
                    offset += Int64(piece.readableBytes)
                }
                return hash.finalize().hexadecimal
            }
        }
    }

    /// Whether the bytes are sent piece by piece.
    var isStreamed: Bool {
        switch self {
        case .bytes(let bytes): bytes.readableBytes > S3BodyPieces.pieceSize
        case .file: byteCount > 0
        }
    }

    /// The bytes as the HTTP client takes them.
    func content(_ threadPool: NIOThreadPool, _ progress: UploadProgress) -> HTTPClientRequest.Body? {
        if byteCount == 0 { return nil }
        if !isStreamed, case .bytes(let bytes) = self { return .bytes(bytes) }
        let pieces = S3BodyPieces(body: self, threadPool: threadPool, progress: progress)
        return .stream(pieces, length: .known(byteCount))
    }
}

/// A request's bytes in pieces: small ones, so that the stall time-out sees them go.
struct S3BodyPieces: AsyncSequence, Sendable {
    /// Bytes in a piece.
    static let pieceSize = 256 << 10

    let body: S3Body
    let threadPool: NIOThreadPool
    let progress: UploadProgress

    func makeAsyncIterator() -> Iterator { Iterator(pieces: self) }

    struct Iterator: AsyncIteratorProtocol {
        let pieces: S3BodyPieces
        var offset: Int64 = 0
        /// What is read of a file and not handed out yet; four pieces take one hop to the thread pool.
        var read = ByteBuffer()

        init(pieces: S3BodyPieces) { self.pieces = pieces }

        mutating func next() async throws -> ByteBuffer? {
            let rest = pieces.body.byteCount - offset
            guard rest > 0 else {
                pieces.progress.completed()
                return nil
            }
            pieces.progress.moved()
            let count = Int(Swift.min(rest, Int64(S3BodyPieces.pieceSize)))
            let part = offset..<offset + Int64(count)
            offset += Int64(count)
            switch pieces.body {
            case .bytes:
                guard case .bytes(let piece) = pieces.body.slice(part) else { return nil }
                return piece
            case .file(let file, let path, let range):
                if read.readableBytes == 0 {
                    let size = Int(Swift.min(rest, Int64(OpenFile.blockSize)))
                    let start = range.lowerBound + part.lowerBound
                    read = try await pieces.threadPool.run { () throws(ObjectStoreError) in
                        try file.piece(byteCount: size, at: start, path: path)
                    }
                }
                return read.readSlice(length: count)
            }
        }
    }
}

extension OpenFile {
    /// Bytes of a file that is being sent, all of them.
    fileprivate func piece(byteCount: Int, at offset: Int64, path: FilePath) throws(ObjectStoreError) -> ByteBuffer {
        let piece: ByteBuffer
        do throws(Errno) {
            piece = try read(byteCount: byteCount, at: offset)
        } catch {
            throw .file("Reading", path, error)
        }
        guard piece.readableBytes == byteCount else {
            throw ObjectStoreError(.integrity, "'\(path)' was cut short while it was being sent: send it again.")
        }
        return piece
    }
}
