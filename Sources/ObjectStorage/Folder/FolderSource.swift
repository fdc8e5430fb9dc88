import NIOCore
import SystemPackage

/// The bytes of a put into a ``FolderStore``. All its methods block.
struct FolderSource {
    /// The content, where it is in memory; small files are.
    let content: ByteBuffer?
    let byteCount: Int64
    let description: String
    private let file: OpenFile?

    init(_ body: ObjectBody) throws(ObjectStoreError) {
        switch body {
        case .bytes(let bytes):
            (content, byteCount, file) = (bytes, Int64(bytes.readableBytes), nil)
            description = "The content"
        case .file(let path), .temporary(let path):
            do throws(Errno) {
                let file = try OpenFile.reading(path)
                let status = try file.status()
                guard status.type == .regular else { throw .invalidArgument }
                let isSmall = status.size <= ObjectVersion.largestHashed
                content = isSmall ? try file.read(byteCount: Int(status.size), at: 0) : nil
                (byteCount, self.file) = (status.size, file)
            } catch {
                throw .file("Reading", path, error)
            }
            description = "'\(path)'"
        }
    }

    /// Writes everything into a new file.
    ///
    /// - Returns: The number of bytes written: fewer than ``byteCount`` if the source has shrunk.
    func write(to target: OpenFile) throws(Errno) -> Int64 {
        if let content {
            try target.write(content, at: 0)
            return Int64(content.readableBytes)
        }
        guard let file else { return 0 }
        return try target.copyAll(of: file, byteCount: byteCount)
    }
}
