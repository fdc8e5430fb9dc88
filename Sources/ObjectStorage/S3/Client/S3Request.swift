import NIOCore
import NIOHTTP1

/// One request for a bucket or an object, before it is addressed and signed.
struct S3Request: Sendable {
    var method: HTTPMethod
    /// The object's key; `nil` for the bucket itself.
    var key: String?
    /// Names and values, not encoded.
    var query: [(name: String, value: String)] = []
    /// Lower-case names and values.
    var headers: [(name: String, value: String)] = []
    var body = S3Body.bytes(ByteBuffer())
    /// The body's SHA-256 in hexadecimal, where it is known already.
    var payloadHash: String?
    /// What is being done, for messages: `Storing`.
    var action: String
    /// Whether it may be sent more than once.
    var isRepeatable = true
}
