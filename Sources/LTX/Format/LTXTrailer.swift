/// The last 16 bytes of a transaction file.
public struct LTXTrailer: Hashable, Sendable {
    /// The size of a trailer in bytes.
    public static let byteCount = 16

    /// The rolling database checksum after the file; 0 in all that Litestream and this project write.
    public let postApplyChecksum: UInt64
    /// The checksum of the file; see ``FileChecksum``.
    public let fileChecksum: UInt64

    /// Creates a trailer.
    public init(postApplyChecksum: UInt64 = 0, fileChecksum: UInt64) {
        (self.postApplyChecksum, self.fileChecksum) = (postApplyChecksum, fileChecksum)
    }

    /// Reads a trailer from the last 16 bytes of a file.
    ///
    /// - Throws: ``LTXError`` with code `truncated`.
    public init(parsing bytes: RawSpan) throws(LTXError) {
        guard bytes.byteCount >= Self.byteCount else {
            throw LTXError(.truncated, "The file ends inside its trailer: \(bytes.byteCount) of 16 bytes are there.")
        }
        postApplyChecksum = bytes.bigEndian(at: 0, as: UInt64.self)
        fileChecksum = bytes.bigEndian(at: 8, as: UInt64.self)
    }

    /// The 16 bytes of the trailer.
    public func encoded() -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.append(bigEndian: postApplyChecksum)
        bytes.append(bigEndian: fileChecksum)
        return bytes
    }
}
