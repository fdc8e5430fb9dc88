public import NIOCore
import NIOHTTP1

extension S3Store {
    /// How often a read starts again because the object was replaced meanwhile.
    static let replacementLimit = 3

    public func head(_ key: String) async throws(ObjectStoreError) -> ObjectInfo {
        let request = S3Request(
            method: .HEAD,
            key: key,
            headers: configuration.keyHeaders,
            action: "Looking at"
        )
        let head = try await client.send(request).head
        guard let byteCount = head.contentLength, let modified = head.lastModified else {
            throw ObjectStoreError(
                .invalidAnswer,
                "Looking at 's3://\(configuration.bucket)/\(key)': the answer lacks the object's size or time."
            )
        }
        // A time that cannot be read counts as none, as with Litestream.
        let timestamp = head.headers.first(name: Self.timestampHeader).flatMap { Timestamp(text: $0) }
        return ObjectInfo(
            key: key,
            byteCount: byteCount,
            modified: modified,
            version: head.version,
            metadata: ObjectMetadata(timestamp: timestamp)
        )
    }

    public func getVersioned(
        _ key: String
    ) async throws(ObjectStoreError) -> (bytes: ByteBuffer, version: ObjectVersion?) {
        try await restarting { () async throws(ObjectStoreError) in
            var bytes = ByteBuffer()
            let state = try await read(key, range: nil) { piece, _ async throws(S3Failure) in
                guard bytes.readableBytes + piece.readableBytes <= ByteBuffer.largestVersioned else {
                    throw S3Failure(error: .tooLargeToCompare("s3://\(configuration.bucket)/\(key)"))
                }
                bytes.writeImmutableBuffer(piece)
            }
            return (bytes, state.version)
        }
    }

    public func get(_ key: String, range: Range<Int64>?) async throws(ObjectStoreError) -> ByteBuffer {
        if let range, range.isEmpty || range.lowerBound < 0 || range.count > ByteBuffer.largestObject {
            throw ObjectStoreError(
                .invalidRequest,
                "Bytes \(range.lowerBound)..<\(range.upperBound) of '\(key)' cannot be read into memory: ask for "
                    + "1 byte to 2 GiB at a time."
            )
        }
        return try await restarting { () async throws(ObjectStoreError) in
            var bytes = ByteBuffer()
            _ = try await read(key, range: range) { piece, state async throws(S3Failure) in
                if bytes.readableBytes == 0, let end = state.end {
                    // A length that the server made up costs no more than this.
                    bytes.reserveCapacity(Int(min(end - (range?.lowerBound ?? 0), 64 << 20)))
                }
                guard bytes.readableBytes + piece.readableBytes <= ByteBuffer.largestObject else {
                    throw S3Failure(
                        error: ObjectStoreError(
                            .invalidRequest,
                            "'\(key)' has over 2 GiB, too many for memory: ask for parts, or download it to a file."
                        )
                    )
                }
                bytes.writeImmutableBuffer(piece)
            }
            return bytes
        }
    }

    /// Reads an object or a part of it, however often connections break meanwhile.
    ///
    /// - Parameters:
    ///   - key: The object's key.
    ///   - range: The bytes wanted; `nil` for all.
    ///   - mayEndEarly: Whether the object may end within `range`.
    ///   - version: The version they have to be of, if that is known.
    ///   - take: Gets the bytes in order, with the state after them.
    /// - Returns: The final state.
    /// - Throws: code `integrity` where the object was replaced meanwhile.
    func read(
        _ key: String,
        range: Range<Int64>?,
        mayEndEarly: Bool = false,
        version: ObjectVersion? = nil,
        _ take: (ByteBuffer, S3ReadState) async throws(S3Failure) -> Void
    ) async throws(ObjectStoreError) -> S3ReadState {
        var state = S3ReadState(wanted: range, mayEndEarly: mayEndEarly, version: version)
        let place = "Reading 's3://\(configuration.bucket)/\(key)'"
        var request = S3Request(method: .GET, key: key, action: "Reading")
        try await client.repeating(request) { retries async throws(S3Failure) in
            request.headers = state.headers + configuration.keyHeaders
            do throws(S3Failure) {
                try await client.exchange(request) { head, body async throws(S3Failure) in
                    try state.begin(head, place: place)
                    try await client.consume(body, of: request) { piece async throws(S3Failure) in
                        retries.progressed(now: .now)
                        let count = state.take(piece.readableBytes)
                        guard count > 0, let wanted = piece.getSlice(at: piece.readerIndex, length: count) else {
                            return
                        }
                        try await take(wanted, state)
                    }
                    try state.finish(place: place)
                }
            } catch {
                guard error.isOtherVersion else { throw error }
                throw S3ReadState.replaced(place)
            }
        }
        return state
    }

    /// Runs a read again when the object was replaced in its midst, a few times.
    func restarting<Value>(
        _ read: () async throws(ObjectStoreError) -> Value
    ) async throws(ObjectStoreError) -> Value {
        for _ in 1..<Self.replacementLimit {
            do throws(ObjectStoreError) {
                return try await read()
            } catch {
                guard error.cause is S3ReadState.Replacement else { throw error }
            }
        }
        return try await read()
    }
}
