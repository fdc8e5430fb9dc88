import Crypto
import Logging
import NIOCore
import NIOHTTP1

extension S3Store {
    /// Parts that one upload may have.
    private static let largestPartCount: Int64 = 10_000

    /// The size of the parts for an object: the configured one, or as much more as it takes for them to suffice.
    static func partSize(_ configured: Int64, byteCount: Int64) -> Int64 {
        let smallest = (byteCount + largestPartCount - 1) / largestPartCount
        guard smallest > configured else { return configured }
        let unit: Int64 = 1 << 20
        return (smallest + unit - 1) / unit * unit
    }

    /// Stores an object in parts, several at a time; takes them back if that does not succeed.
    func putInParts(
        _ key: String,
        _ content: S3Body,
        _ metadata: ObjectMetadata,
        _ condition: PutCondition
    ) async throws(ObjectStoreError) -> ObjectVersion? {
        var request = S3Request(method: .POST, key: key, query: [("uploads", "")], action: "Storing")
        request.headers = configuration.creationHeaders(metadata)
        let place = "Storing 's3://\(configuration.bucket)/\(key)'"
        let upload = try await client.send(request) { answer throws(S3Failure) in
            try answer.decode(S3AnswerDocuments.Upload.self, place: place).uploadId
        }
        do throws(ObjectStoreError) {
            let size = Self.partSize(configuration.partSize, byteCount: content.byteCount)
            let count = Int((content.byteCount + size - 1) / size)
            let tags = try await sideBySide(count, width: client.concurrency) { number async throws(ObjectStoreError) in
                let start = Int64(number) * size
                let part = content.slice(start..<min(start + size, content.byteCount))
                return try await self.putPart(key, upload: upload, number: number + 1, part)
            }
            return try await condition.explaining(key) { () async throws(ObjectStoreError) in
                try await complete(key, upload: upload, tags: tags, condition)
            }
        } catch {
            // A conditional upload whose end is unknown must not be taken back: it may be the object by now.
            if error.code != .outcomeUnknown { await abort(key, upload: upload) }
            throw error
        }
    }

    private func putPart(
        _ key: String,
        upload: String,
        number: Int,
        _ part: S3Body
    ) async throws(ObjectStoreError) -> String {
        var request = S3Request(method: .PUT, key: key, action: "Storing part \(number) of")
        request.query = [("partNumber", String(number)), ("uploadId", upload)]
        request.headers = configuration.keyHeaders
        request.body = part
        let hashed = try await client.hashed(request)
        let place = "\(request.action) 's3://\(configuration.bucket)/\(key)'"
        return try await client.send(hashed) { answer throws(S3Failure) in
            guard let tag = answer.head.version?.rawValue else {
                throw S3Failure(
                    error: ObjectStoreError(.invalidAnswer, "\(place): the answer lacks the part's entity tag.")
                )
            }
            return tag
        }
    }

    private func complete(
        _ key: String,
        upload: String,
        tags: [String],
        _ condition: PutCondition
    ) async throws(ObjectStoreError) -> ObjectVersion? {
        let parts = tags.enumerated().map { number, tag in
            "<Part><PartNumber>\(number + 1)</PartNumber><ETag>\(tag.xmlEscaped)</ETag></Part>"
        }
        let document = "<CompleteMultipartUpload>\(parts.joined())</CompleteMultipartUpload>"
        var request = S3Request(method: .POST, key: key, query: [("uploadId", upload)], action: "Completing")
        request.headers = [(name: "content-type", value: "application/xml")] + condition.headers
        request.body = .bytes(ByteBuffer(string: document))
        request.isRepeatable = condition == .none
        let hashed = try await client.hashed(request)
        let place = "Completing 's3://\(configuration.bucket)/\(key)'"
        return try await client.repeating(hashed) { retries async throws(S3Failure) in
            do throws(S3Failure) {
                return try await client.exchange(hashed) { head, body async throws(S3Failure) in
                    // The head of this answer can be sent before the outcome is known, so errors come with it too.
                    let answer = S3Answer(head: head, body: try await client.collect(body, of: hashed))
                    if answer.failure != nil { throw client.failure(answer, to: hashed) }
                    let completed = try answer.decode(S3AnswerDocuments.CompletedUpload.self, place: place)
                    return (completed.eTag ?? head.version?.rawValue).map { ObjectVersion(rawValue: $0) }
                }
            } catch {
                guard error.isUploadGone, retries.attempts > 1 else { throw error }
                return try await completedBefore(key, tags: tags, failure: error)
            }
        }
    }

    /// The version of an object whose completion was answered, perhaps, and the answer lost.
    private func completedBefore(
        _ key: String,
        tags: [String],
        failure: S3Failure
    ) async throws(S3Failure) -> ObjectVersion? {
        guard let expected = Self.tag(ofParts: tags) else { throw failure }
        let info: ObjectInfo
        do throws(ObjectStoreError) {
            info = try await head(key)
        } catch {
            throw failure
        }
        guard let version = info.version, version.rawValue.filter({ $0 != "\"" }) == expected else { throw failure }
        return version
    }

    /// The entity tag that servers give an object of these parts: the MD5 of their MD5s, and their number.
    static func tag(ofParts tags: [String]) -> String? {
        var hash = Insecure.MD5()
        for tag in tags {
            let digits = tag.utf8.filter { $0 != UInt8(ascii: "\"") }.compactMap(\.hexadecimalDigit)
            guard digits.count == 32 else { return nil }
            hash.update(data: stride(from: 0, to: 32, by: 2).map { digits[$0] << 4 | digits[$0 + 1] })
        }
        return "\(hash.finalize().hexadecimal)-\(tags.count)"
    }

    /// Takes the parts of an upload back, also when the task is cancelled. Best effort: an error is logged.
    private func abort(_ key: String, upload: String) async {
        let request = S3Request(method: .DELETE, key: key, query: [("uploadId", upload)], action: "Taking back")
        // A task of its own is not cancelled with this one, which waits for it.
        let error = await Task { [client] () -> ObjectStoreError? in
            do throws(ObjectStoreError) {
                _ = try await client.send(request)
                return nil
            } catch {
                return error
            }
        }.value
        if let error {
            client.logger.info("Parts left behind", metadata: ["s3.key": "\(key)", "error": "\(error.message)"])
        }
    }
}
