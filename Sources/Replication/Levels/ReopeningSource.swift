import LTX
import SystemPackage

/// A local file that is opened for each read, so that thousands of them can be merged at a time.
struct ReopeningSource: LTXSource {
    /// Up to so many sources are held open instead: a small part of what this process may hold open.
    static let openLimit = min(2048, max(128, OpenFileLimit.current / 8))

    let name: String
    let byteCount: Int64
    private let path: FilePath

    /// Takes a file; it is opened once to learn its size. May block.
    ///
    /// - Throws: `Errno`.
    init(_ path: FilePath, name: String) throws {
        (self.path, self.name) = (path, name)
        byteCount = try FileSource(path, name: name).byteCount
    }

    func read(into buffer: UnsafeMutableRawBufferPointer, at offset: Int64) throws {
        try unsafe FileSource(path, name: name).read(into: buffer, at: offset)
    }
}
