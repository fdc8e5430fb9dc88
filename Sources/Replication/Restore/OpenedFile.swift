import LTX
import NIOCore
import SystemPackage

/// A file of a plan whose header, page index and trailer are at hand, and whose frames can be read.
struct OpenedFile: Sendable {
    /// Where the frames come from.
    enum Content: Sendable {
        /// The whole file.
        case bytes(ByteBuffer)
        /// A file of this host, which stays readable when it is deleted.
        case local(FileSource)
        /// Ranges asked of the store.
        case store
    }

    /// Up to this size a file is read as a whole, once.
    static let wholeByteCount: Int64 = 1 << 20

    let file: ReplicaFile
    let header: LTXHeader
    let index: LTXIndex
    let content: Content
    /// Gives the page index, maybe nothing else.
    let indexSource: any LTXSource
    /// The header's share in the file checksum.
    let head: ChecksumPart
    /// The share of all that follows the frames.
    let tail: ChecksumPart

    /// Takes a file together with the bytes around its frames.
    ///
    /// - Parameter indexSource: Gives all bytes from the end of the frames on. May block.
    /// - Throws: ``ReplicaError`` with code `damaged`.
    init(
        _ file: ReplicaFile,
        header bytes: RawSpan,
        index: LTXIndex,
        content: Content,
        indexSource: any LTXSource
    ) throws(ReplicaError) {
        (self.file, self.index, self.content, self.indexSource) = (file, index, content, indexSource)
        header = try file.header(parsing: bytes)
        head = ChecksumPart(of: bytes)
        do throws(LTXError) {
            tail = try Self.tail(of: indexSource, from: index.framesRange.upperBound)
            guard header.tracksChecksum || index.trailer.postApplyChecksum == 0 else {
                throw LTXError(.checksumMismatch, "The trailer has a database checksum, where none may be.")
            }
        } catch { throw .damaged(file, error) }
    }

    /// The share of the file's end in its checksum: all but the last 8 bytes.
    private static func tail(of source: any LTXSource, from start: Int64) throws(LTXError) -> ChecksumPart {
        var (part, position) = (ChecksumPart(), start)
        let end = source.byteCount - 8
        var buffer = [UInt8](repeating: 0, count: Int(Swift.min(64 << 10, end - start)))
        while position < end {
            let count = Int(Swift.min(Int64(buffer.count), end - position))
            do {
                try unsafe buffer.withUnsafeMutableBytes { target in
                    // SAFETY: `count` is at most the buffer's size.
                    try unsafe source.read(
                        into: UnsafeMutableRawBufferPointer(rebasing: target[..<count]),
                        at: position
                    )
                }
            } catch {
                throw LTXError(.sourceFailed, "The end of the file was not read.", cause: error)
            }
            let isEndMarker = buffer[..<Swift.min(6, count)].allSatisfy { $0 == 0 }
            guard position > start || isEndMarker else {
                throw LTXError(.invalidFrame, "The page frames do not end where the page index says.")
            }
            // SAFETY: the elements are bytes, all of them initialized.
            part.append(unsafe buffer.span.bytes.extracting(0..<count))
            position += Int64(count)
        }
        return part
    }
}

extension ReplicaError {
    /// Names the file in what was found wrong with its content.
    static func damaged(_ file: ReplicaFile, _ error: LTXError) -> Self {
        let advice = "Restore to an earlier transaction, or put the file back from another copy."
        return Self(.damaged, "'\(file.key)': \(error.message) \(advice)", cause: error)
    }
}
