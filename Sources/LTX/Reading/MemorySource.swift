/// A file, or a window of one, that lies in memory.
public struct MemorySource: LTXSource {
    public let name: String
    public let byteCount: Int64
    private let bytes: [UInt8]
    private let start: Int64

    /// Creates a source from a whole file.
    public init(_ bytes: [UInt8], name: String) {
        self.init(bytes, startingAt: 0, fileByteCount: Int64(bytes.count), name: name)
    }

    /// Creates a source from a part of a file, such as its fetched end. Reads elsewhere throw.
    ///
    /// - Parameters:
    ///   - bytes: The part.
    ///   - start: Where in the file it begins.
    ///   - fileByteCount: The size of the whole file.
    ///   - name: What errors call the file.
    /// - Precondition: The part lies inside the file.
    public init(_ bytes: [UInt8], startingAt start: Int64, fileByteCount: Int64, name: String) {
        precondition(start >= 0 && start <= fileByteCount && Int64(bytes.count) <= fileByteCount - start)
        (self.bytes, self.start, byteCount, self.name) = (bytes, start, fileByteCount, name)
    }

    public func read(into buffer: UnsafeMutableRawBufferPointer, at offset: Int64) throws {
        guard offset >= start, offset - start <= Int64(bytes.count),
            buffer.count <= bytes.count - Int(offset - start)
        else {
            let end = start + Int64(bytes.count)
            throw LTXError(
                .truncated,
                "Of this file only the bytes from \(start) to \(end) are at hand, not \(offset)."
            )
        }
        let first = Int(offset - start)
        // SAFETY: the guard has checked that the range lies in the array.
        unsafe bytes.withUnsafeBytes { source in
            unsafe buffer.copyMemory(from: UnsafeRawBufferPointer(rebasing: source[first..<(first + buffer.count)]))
        }
    }
}
