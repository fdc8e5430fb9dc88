import NIOHTTP1

extension S3Store {
    /// The header that an object's time travels in.
    static let timestampHeader = "x-amz-meta-litestream-timestamp"

    public func list(prefix: String) async throws(ObjectStoreError) -> [ObjectInfo] {
        var found: [ObjectInfo] = []
        var token: String?
        repeat {
            let page = try await page(prefix: prefix, token: token)
            found += page.objects
            guard page.next == nil || page.next != token else {
                throw ObjectStoreError(
                    .invalidAnswer,
                    "Listing 's3://\(configuration.bucket)/\(prefix)': the server gives the same page again and again."
                )
            }
            token = page.next
        } while token != nil
        // Some servers list folder by folder.
        for (previous, next) in zip(found, found.dropFirst())
        where next.key.utf8.lexicographicallyPrecedes(previous.key.utf8) {
            found.sort { $0.key.utf8.lexicographicallyPrecedes($1.key.utf8) }
            break
        }
        return found
    }

    private func page(
        prefix: String,
        token: String?
    ) async throws(ObjectStoreError) -> (objects: [ObjectInfo], next: String?) {
        // Encoded keys, since XML cannot hold every character.
        var request = S3Request(method: .GET, query: [("list-type", "2"), ("encoding-type", "url")], action: "Listing")
        if !prefix.isEmpty { request.query.append(("prefix", prefix)) }
        if let token { request.query.append(("continuation-token", token)) }
        let place = "Listing 's3://\(configuration.bucket)/\(prefix)'"
        let answer = try await client.send(request)
        // A page of a thousand takes milliseconds to decode.
        return try await client.threadPool.run { () throws(ObjectStoreError) in
            do throws(S3Failure) {
                return try Self.objects(answer, prefix: prefix, place: place)
            } catch {
                throw error.error
            }
        }
    }

    private static func objects(
        _ answer: S3Answer,
        prefix: String,
        place: String
    ) throws(S3Failure) -> (objects: [ObjectInfo], next: String?) {
        let listing = try answer.decode(S3AnswerDocuments.Listing.self, place: place)
        let isEncoded = listing.encodingType == "url"
        var objects: [ObjectInfo] = []
        for entry in listing.contents ?? [] {
            guard let key = isEncoded ? entry.key.percentDecoded(plusIsSpace: true) : entry.key,
                let modified = Timestamp(text: entry.lastModified), entry.size >= 0
            else {
                throw S3Failure(
                    error: ObjectStoreError(.invalidAnswer, "\(place): the entry '\(entry.key)' is malformed.")
                )
            }
            // Empty objects with a slash at their end stand for folders, in consoles and on servers that have some.
            guard key.hasPrefixBytes(prefix), !(entry.size == 0 && key.hasSuffix("/")) else { continue }
            let version = entry.eTag.flatMap { $0.isEmpty ? nil : ObjectVersion(rawValue: $0) }
            objects.append(ObjectInfo(key: key, byteCount: entry.size, modified: modified, version: version))
        }
        guard listing.isTruncated else { return (objects, nil) }
        guard let next = listing.nextContinuationToken, !next.isEmpty else {
            throw S3Failure(
                error: ObjectStoreError(
                    .invalidAnswer,
                    "\(place): the listing goes on, but the server does not say where."
                )
            )
        }
        return (objects, next)
    }
}
