import Crypto
import NIOCore
import NIOHTTP1

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

extension S3Store {
    /// Keys that one request can delete.
    private static let batchSize = 1000

    public func delete(_ keys: [String]) async throws(ObjectStoreError) {
        if keys.count == 1, let key = keys.first {
            let request = S3Request(method: .DELETE, key: key, action: "Deleting")
            do throws(ObjectStoreError) {
                _ = try await client.send(request)
            } catch {
                guard error.code == .notFound else { throw error }
            }
            return
        }
        for start in stride(from: 0, to: keys.count, by: Self.batchSize) {
            try await delete(batch: keys[start..<min(start + Self.batchSize, keys.count)])
        }
    }

    private func delete(batch keys: ArraySlice<String>) async throws(ObjectStoreError) {
        var document = "<Delete xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><Quiet>true</Quiet>"
        for key in keys {
            guard key.unicodeScalars.allSatisfy({ $0.value >= 32 }) else {
                throw ObjectStoreError(
                    .invalidRequest,
                    "The key '\(key)' has control characters, which a list of keys cannot hold: delete it alone."
                )
            }
            document += "<Object><Key>\(key.xmlEscaped)</Key></Object>"
        }
        document += "</Delete>"

        var request = S3Request(method: .POST, query: [("delete", "")], action: "Deleting \(keys.count) objects in")
        let bytes = Array(document.utf8)
        request.headers = [("content-type", "application/xml")]
        if configuration.requireContentMD5 ?? client.provider.wantsContentMD5 {
            request.headers.append(("content-md5", Data(Insecure.MD5.hash(data: bytes)).base64EncodedString()))
        } else {
            // One of the two checksums has to be there.
            request.headers.append(("x-amz-checksum-sha256", Data(SHA256.hash(data: bytes)).base64EncodedString()))
        }
        request.body = .bytes(ByteBuffer(bytes: bytes))
        let place = "Deleting objects in 's3://\(configuration.bucket)'"
        try await client.send(request) { answer throws(S3Failure) in
            // Some servers answer with nothing at all where nothing went wrong.
            guard answer.body.readableBytes > 0 else { return }
            if answer.failure != nil { throw client.failure(answer, to: request) }
            let errors = try answer.decode(S3AnswerDocuments.Deletion.self, place: place).error ?? []
            let failed = errors.filter { $0.code != "NoSuchKey" }
            if let first = failed.first {
                throw client.failure(first, count: failed.count, of: keys.count, place: place)
            }
        }
    }
}

extension String {
    /// The text as XML has it between tags.
    var xmlEscaped: String {
        var escaped = ""
        for character in unicodeScalars {
            switch character {
            case "&": escaped += "&amp;"
            case "<": escaped += "&lt;"
            case ">": escaped += "&gt;"
            case "\"": escaped += "&quot;"
            default: escaped.unicodeScalars.append(character)
            }
        }
        return escaped
    }
}
