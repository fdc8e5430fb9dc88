import LTX
import NIOCore

/// A file, or a window of one, that was fetched into memory.
struct BufferSource: LTXSource {
    let name: String
    let byteCount: Int64
    let bytes: ByteBuffer
    /// Where in the file the bytes begin.
    let start: Int64

    func read(into buffer: UnsafeMutableRawBufferPointer, at offset: Int64) throws {
        guard offset >= start, let first = Int(exactly: offset - start), first <= bytes.readableBytes,
            buffer.count <= bytes.readableBytes - first
        else {
            throw LTXError(.truncated, "Of this file only \(bytes.readableBytes) bytes from \(start) on were fetched.")
        }
        unsafe bytes.withUnsafeReadableBytes { source in
            // SAFETY: the guard has checked that the range lies in the readable bytes.
            unsafe buffer.copyMemory(from: UnsafeRawBufferPointer(rebasing: source[first..<(first + buffer.count)]))
        }
    }
}
