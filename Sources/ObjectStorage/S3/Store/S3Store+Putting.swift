import NIOCore
import NIOHTTP1
import SystemPackage

extension S3Store {
    @discardableResult
    public func put(
        _ key: String,
        _ body: ObjectBody,
        metadata: ObjectMetadata,
        condition: PutCondition
    ) async throws(ObjectStoreError) -> ObjectVersion? {
        let content = try await content(of: body)
        if content.byteCount > configuration.partSize {
            return try await putInParts(key, content, metadata, condition)
        }
        var request = S3Request(method: .PUT, key: key, action: "Storing")
        request.headers = configuration.creationHeaders(metadata) + condition.headers
        request.body = content
        request.isRepeatable = condition == .none
        let hashed = try await client.hashed(request)
        return try await condition.explaining(key) { () async throws(ObjectStoreError) in
            try await client.send(hashed) { answer throws(S3Failure) in
                if answer.failure != nil { throw client.failure(answer, to: hashed) }
                // A store that has taken an object says no more than its tag: something else may answer in its place.
                guard answer.head.version != nil || answer.body.readableBytes == 0 else {
                    throw S3Failure(
                        error: ObjectStoreError(
                            .invalidAnswer,
                            "Storing 's3://\(configuration.bucket)/\(key)': the answer is a text without the object's "
                                + "tag. See whether something between here and the server answers in its place."
                        ),
                        isTransient: true,
                        outcome: .unknown
                    )
                }
                return answer.head.version
            }
        }
    }

    /// The bytes of a body; a file is opened, so that it stays the same one.
    private func content(of body: ObjectBody) async throws(ObjectStoreError) -> S3Body {
        switch body {
        case .bytes(let bytes): return .bytes(bytes)
        case .file(let path), .temporary(let path):
            return try await client.threadPool.run { () throws(ObjectStoreError) in
                do throws(Errno) {
                    let file = try OpenFile.reading(path)
                    let status = try file.status()
                    guard status.type == .regular else { throw .invalidArgument }
                    return .file(file, path: path, range: 0..<status.size)
                } catch {
                    throw .file("Reading", path, error)
                }
            }
        }
    }
}

extension PutCondition {
    /// The header that asks for the condition.
    var headers: [(name: String, value: String)] {
        switch self {
        case .none: []
        case .ifAbsent: [("if-none-match", "*")]
        case .ifVersion(let version): [("if-match", version.rawValue)]
        }
    }

    /// Runs a put. That an object to be replaced is missing is a condition that does not hold.
    func explaining<Value>(
        _ key: String,
        _ put: () async throws(ObjectStoreError) -> Value
    ) async throws(ObjectStoreError) -> Value {
        do throws(ObjectStoreError) {
            return try await put()
        } catch {
            guard case .ifVersion = self, error.code == .notFound else { throw error }
            throw ObjectStoreError(.conditionFailed, error.message, cause: error)
        }
    }
}
