import Crypto
import NIOCore
import SystemPackage

extension ObjectVersion {
    /// Up to this size a file's version is that of its content.
    static var largestHashed: Int64 { 64 << 10 }

    /// The version of a file: the SHA-256 of a small one, as entity tags go by the content; of a larger one its inode,
    /// its size and the time of its last change, which no program can set.
    static func of(_ file: OpenFile, _ status: Stat) throws(Errno) -> ObjectVersion {
        guard status.size > largestHashed else {
            return of(try file.read(byteCount: Int(status.size), at: 0))
        }
        let time = status.changeTime
        return ObjectVersion(rawValue: "\(status.inode.rawValue)-\(status.size)-\(time.seconds).\(time.nanoseconds)")
    }

    /// The version of a small file with this content.
    static func of(_ content: ByteBuffer) -> ObjectVersion {
        ObjectVersion(rawValue: "sha256-" + SHA256.hash(bytes: content).hexadecimal)
    }
}
