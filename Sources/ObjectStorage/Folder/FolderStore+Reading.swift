import NIOCore
import SystemPackage

#if canImport(Darwin)
    import Darwin
#elseif canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

extension FolderStore {
    /// What is known of one object, its version included. Blocks.
    func information(key: String, path: FilePath) throws(ObjectStoreError) -> ObjectInfo {
        let (file, status) = try open(path)
        do throws(Errno) {
            var info = ObjectInfo(key: key, status: status, version: try .of(file, status))
            info.metadata.timestamp = status.modified
            return info
        } catch {
            throw .file("Reading", path, error)
        }
    }

    /// Bytes of one object. Blocks.
    func bytes(of path: FilePath, range: Range<Int64>?) throws(ObjectStoreError) -> ByteBuffer {
        let (file, status) = try open(path)
        let range = range ?? 0..<status.size
        guard range.lowerBound >= 0, let byteCount = Int(exactly: range.count), byteCount <= ByteBuffer.largestObject
        else {
            throw ObjectStoreError(
                .invalidRequest,
                "\(range.count) bytes of '\(path)' are too many for memory: ask for parts, or download it to a file."
            )
        }
        guard range.upperBound <= status.size else { throw .truncated("'\(path)'", range, byteCount: status.size) }
        let bytes: ByteBuffer
        do throws(Errno) {
            bytes = try file.read(byteCount: byteCount, at: range.lowerBound)
        } catch {
            throw .file("Reading", path, error)
        }
        guard bytes.readableBytes == byteCount else {
            throw .truncated("'\(path)'", range, byteCount: range.lowerBound + Int64(bytes.readableBytes))
        }
        return bytes
    }

    /// All bytes of a small object and their version. Blocks.
    func versionedBytes(of path: FilePath) throws(ObjectStoreError) -> (bytes: ByteBuffer, version: ObjectVersion?) {
        let (file, status) = try open(path)
        guard status.size <= ByteBuffer.largestVersioned else { throw .tooLargeToCompare(path.string) }
        do throws(Errno) {
            let bytes = try file.read(byteCount: Int(status.size), at: 0)
            return (bytes, bytes.readableBytes <= ObjectVersion.largestHashed ? .of(bytes) : try .of(file, status))
        } catch {
            throw .file("Reading", path, error)
        }
    }

    /// Copies an object into a new file and syncs that. Blocks.
    func copy(_ path: FilePath, to target: FilePath) throws(ObjectStoreError) -> Int64 {
        let (source, status) = try open(path)
        do throws(Errno) {
            let file = try OpenFile.creatingDownload(target)
            do throws(Errno) {
                let count = try file.copyAll(of: source, byteCount: status.size)
                guard count == status.size else { throw .ioError }
                try file.sync()
                return count
            } catch {
                removeUnfinished(target)
                throw error
            }
        } catch {
            throw .file("Copying '\(path)' to", target, error)
        }
    }

    /// Opens an object's file; whatever else lies there, a folder say, is not an object.
    private func open(_ path: FilePath) throws(ObjectStoreError) -> (file: OpenFile, status: Stat) {
        do throws(Errno) {
            let file = try OpenFile.reading(path)
            let status = try file.status()
            guard status.type == .regular else { throw .noSuchFileOrDirectory }
            return (file, status)
        } catch {
            throw .file("Reading", path, error)
        }
    }
}

/// Removes a file that is not finished; best effort, on the way of another error.
func removeUnfinished(_ path: FilePath) {
    // SAFETY: the path's characters live across the call.
    _ = unsafe path.withPlatformString { unsafe unlink($0) }
}

extension ByteBuffer {
    /// The largest object that is handed out in memory: 2 GiB, well below what a buffer can hold.
    static var largestObject: Int { 1 << 31 }

    /// The most that is compared and swapped.
    static var largestVersioned: Int { 1 << 20 }
}

extension ObjectStoreError {
    /// - Parameter object: What ends too early, quoted.
    static func truncated(_ object: String, _ range: Range<Int64>, byteCount: Int64) -> ObjectStoreError {
        ObjectStoreError(
            .truncated,
            "\(object) has \(byteCount) bytes, but bytes \(range.lowerBound) to \(range.upperBound - 1) were asked "
                + "for: it was cut short, or replaced meanwhile."
        )
    }
}
