import Crypto
import NIOCore

extension HashFunction {
    /// Adds the readable bytes of a buffer, without a copy.
    mutating func update(bytes: ByteBuffer) {
        // SAFETY: the region is only read, and only during the call.
        unsafe bytes.withUnsafeReadableBytes { unsafe update(bufferPointer: $0) }
    }

    /// The digest of the readable bytes of a buffer.
    static func hash(bytes: ByteBuffer) -> Digest {
        var hash = Self()
        hash.update(bytes: bytes)
        return hash.finalize()
    }
}

extension Sequence<UInt8> {
    /// The bytes as pairs of lower-case digits.
    var hexadecimal: String {
        let digits = Array("0123456789abcdef".utf8)
        return String(decoding: flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }, as: UTF8.self)
    }
}
