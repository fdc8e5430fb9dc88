import Foundation
import SystemPackage

#if canImport(Darwin)
    import Darwin
#elseif canImport(Glibc)
    import Glibc
#endif

/// A file without a name that a child writes to and this process reads at any time.
final class CapturedOutput: Sendable {
    let descriptor: FileDescriptor

    init() throws {
        let path = FilePath(NSTemporaryDirectory()).appending("output-\(UUID().uuidString)")
        // Appending, so that a child that shares the file with its own children loses nothing.
        descriptor = try FileDescriptor.open(
            path,
            .readWrite,
            options: [.create, .exclusiveCreate, .append, .closeOnExec],
            permissions: .ownerReadWrite
        )
        // SAFETY: a C string that lives for the call.
        guard unsafe unlink(path.string) == 0 else {
            throw TestSupportError("'\(path)' could not be unlinked: errno \(errno).")
        }
    }

    deinit { try? descriptor.close() }

    /// All bytes written so far, as text; what is not UTF-8 is replaced.
    var text: String {
        // Positional reads: the offset of the descriptor is the child's too.
        var (bytes, chunk) = ([UInt8](), [UInt8](repeating: 0, count: 64 << 10))
        while true {
            // SAFETY: `read` fills at most the buffer; what it filled is appended.
            let count = unsafe chunk.withUnsafeMutableBytes { buffer in
                unsafe (try? descriptor.read(fromAbsoluteOffset: Int64(bytes.count), into: buffer)) ?? 0
            }
            guard count > 0 else { return String(decoding: bytes, as: UTF8.self) }
            bytes.append(contentsOf: chunk[..<count])
        }
    }
}
