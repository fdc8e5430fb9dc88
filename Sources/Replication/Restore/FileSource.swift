import LTX
package import SystemPackage

/// A file of this host to be read at any place, open until this object goes.
///
/// `Sendable`: reads are at absolute offsets, through a descriptor that never changes.
package final class FileSource: LTXSource {
    package let name: String
    package let byteCount: Int64
    private let descriptor: FileDescriptor

    /// Opens a file. May block.
    ///
    /// - Throws: `Errno`.
    package convenience init(_ path: FilePath, name: String) throws {
        try self.init(owning: FileDescriptor.open(path, .readOnly, options: [.closeOnExec]), name: name)
    }

    /// Takes over an open descriptor.
    ///
    /// - Throws: `Errno`; the descriptor is closed then.
    init(owning descriptor: FileDescriptor, name: String) throws {
        (self.descriptor, self.name) = (descriptor, name)
        do { byteCount = try descriptor.seek(offset: 0, from: .end) } catch {
            try? descriptor.close()  // Nothing was read from it.
            throw error
        }
    }

    deinit {
        try? descriptor.close()  // Nothing can be lost: it was only read.
    }

    package func read(into buffer: UnsafeMutableRawBufferPointer, at offset: Int64) throws {
        var done = 0
        while done < buffer.count {
            // SAFETY: `done` is below the buffer's size.
            let rest = unsafe UnsafeMutableRawBufferPointer(rebasing: buffer[done...])
            let count = try unsafe descriptor.read(fromAbsoluteOffset: offset + Int64(done), into: rest)
            guard count > 0 else { throw LTXError(.truncated, "The file was cut short while it was read.") }
            done += count
        }
    }
}
