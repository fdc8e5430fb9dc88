/// A transaction file to be read: an open file, a buffer, or a window of one that lies at a store.
///
/// Reads may block and may come from several threads at a time.
public protocol LTXSource: Sendable {
    /// What errors call the file: its name or path.
    var name: String { get }

    /// The size of the whole file in bytes.
    var byteCount: Int64 { get }

    /// Fills all of `buffer` with the file's bytes from `offset` on, or throws.
    ///
    /// The range always lies inside the file.
    func read(into buffer: UnsafeMutableRawBufferPointer, at offset: Int64) throws
}

extension LTXSource {
    /// Reads with checks of the range, and with errors of this module.
    func fill(_ buffer: UnsafeMutableRawBufferPointer, at offset: Int64) throws(LTXError) {
        let count = buffer.count
        guard offset >= 0, offset <= byteCount, Int64(count) <= byteCount - offset else {
            throw LTXError(.truncated, "The file ends at byte \(byteCount), before what is to be read at \(offset).")
        }
        guard count > 0 else { return }
        do {
            // SAFETY: the buffer is the caller's and valid during the call.
            try unsafe read(into: buffer, at: offset)
        } catch let error as LTXError {
            throw error
        } catch {
            throw LTXError(.sourceFailed, "\(count) bytes at \(offset) could not be read.", cause: error)
        }
    }

    /// Reads `byteCount` bytes, a number that the caller has bounded.
    func bytes(at offset: Int64, byteCount: Int) throws(LTXError) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: byteCount)
        var span = bytes.mutableSpan
        // SAFETY: the elements are bytes, so any bytes are valid; the buffer does not leave the closure.
        var target = unsafe span.mutableBytes
        try unsafe target.withUnsafeMutableBytes { (buffer) throws(LTXError) in try unsafe fill(buffer, at: offset) }
        return bytes
    }
}
