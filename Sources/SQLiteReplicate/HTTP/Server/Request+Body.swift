import Hummingbird
import HummingbirdCore
import NIOCore

extension Request {
    /// The whole body; `nil` where it is larger than `limit`, as its head says or as it turns out.
    ///
    /// - Throws: where the client goes before the end of it.
    func wholeBody(upTo limit: Int) async throws -> ByteBuffer? {
        let length = headers[.contentLength].flatMap { Int($0) } ?? 0
        guard length <= limit else { return nil }
        do {
            return try await body.collect(upTo: limit)
        } catch is NIOTooManyBytesError {
            return nil
        }
    }
}
