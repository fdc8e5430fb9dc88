import Crypto

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

/// A key for server-side encryption with customer keys (SSE-C): 32 bytes.
///
/// Printing it shows nothing of it.
public struct S3CustomerKey: Hashable, Sendable, CustomStringConvertible, CustomDebugStringConvertible,
    CustomReflectable
{
    /// The key's 32 bytes in base64.
    let base64: String
    /// The MD5 of the key's bytes in base64.
    let md5: String

    /// Takes a key's 32 bytes in base64.
    ///
    /// - Parameters:
    ///   - base64: The key.
    ///   - md5: The MD5 of the key's bytes in base64, to be compared; `nil`: it is computed.
    /// - Throws: code `invalidRequest` where the key is not 32 bytes in base64, or its MD5 is another.
    public init(base64: String, md5: String? = nil) throws(ObjectStoreError) {
        guard let bytes = Data(base64Encoded: base64), bytes.count == 32 else {
            throw ObjectStoreError(
                .invalidRequest,
                "The customer key for server-side encryption must be 32 bytes in base64, which have 44 characters: "
                    + "make one with `openssl rand -base64 32`."
            )
        }
        let computed = Data(Insecure.MD5.hash(data: bytes)).base64EncodedString()
        guard md5 == nil || md5 == computed else {
            throw ObjectStoreError(
                .invalidRequest,
                "The MD5 given for the customer key of server-side encryption is not that key's: leave it out, or "
                    + "correct one of the two."
            )
        }
        (self.base64, self.md5) = (base64, computed)
    }

    public var description: String { "S3CustomerKey" }
    public var debugDescription: String { description }
    public var customMirror: Mirror { Mirror(self, children: []) }

    /// The headers that every request on an object's content carries.
    var headers: [(name: String, value: String)] {
        let name = "x-amz-server-side-encryption-customer-"
        return [(name + "algorithm", "AES256"), (name + "key", base64), (name + "key-md5", md5)]
    }
}
