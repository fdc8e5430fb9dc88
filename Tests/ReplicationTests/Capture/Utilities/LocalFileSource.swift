import LTX
import SystemPackage
import TestSupport

/// A transaction file on disk, read piece by piece.
struct LocalFileSource: LTXSource {
    let name: String
    let byteCount: Int64
    private let path: FilePath

    /// `nil` where there is no such file.
    init?(_ path: FilePath) throws {
        guard let file = try? FileDescriptor.open(path, .readOnly) else { return nil }
        defer { try? file.close() }
        (name, self.path) = (path.lastComponent?.string ?? "", path)
        byteCount = try file.seek(offset: 0, from: .end)
    }

    func read(into buffer: UnsafeMutableRawBufferPointer, at offset: Int64) throws {
        let file = try FileDescriptor.open(path, .readOnly)
        try file.closeAfter {
            var done = 0
            while done < buffer.count {
                let rest = UnsafeMutableRawBufferPointer(rebasing: buffer[done...])
                let count = try file.read(fromAbsoluteOffset: offset + Int64(done), into: rest)
                guard count > 0 else { throw TestSupportError("\(name) ends early") }
                done += count
            }
        }
    }
}
