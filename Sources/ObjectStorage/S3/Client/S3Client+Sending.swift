import AsyncHTTPClient
import NIOCore
import NIOHTTP1
import Synchronization

extension S3Client {
    /// The request with its body's hash, so that sending it again does not take computing it again.
    func hashed(_ request: S3Request) async throws(ObjectStoreError) -> S3Request {
        var request = request
        let isSecure = configuration.endpoint?.isSecure ?? true
        request.payloadHash = try await payloadHash(request, isSecure: isSecure)
        return request
    }

    /// What the signature says of the body: over plain HTTP always its hash.
    func payloadHash(_ request: S3Request, isSecure: Bool) async throws(ObjectStoreError) -> String {
        guard configuration.signPayload || !isSecure else { return SignatureV4.unsignedPayload }
        if let hash = request.payloadHash { return hash }
        guard request.body.byteCount > 0 else { return SignatureV4.emptyPayload }
        return try await request.body.sha256(threadPool)
    }

    /// The request as the HTTP client takes it, signed now.
    func signedRequest(
        _ request: S3Request,
        _ address: S3Address,
        _ signature: SignatureV4,
        _ payloadHash: String,
        _ progress: UploadProgress
    ) -> HTTPClientRequest {
        let now = Timestamp.now
        let path =
            request.key.map { "\(address.basePath)/\($0.percentEncoded(keepingSlashes: true))" } ?? address.basePath
        let query = request.query.map { (name: $0.name.percentEncoded(), value: $0.value.percentEncoded()) }
        var headers = [
            (name: "host", value: address.authority),
            (name: "x-amz-content-sha256", value: payloadHash),
            (name: "x-amz-date", value: now.compactText),
        ]
        if let token = signature.credentials.sessionToken { headers.append(("x-amz-security-token", token)) }
        headers += provider.headers + request.headers
        let authorization = signature.authorization(
            method: request.method.rawValue,
            path: path,
            query: query,
            headers: headers,
            payloadHash: payloadHash,
            time: now
        )

        var url = (address.isSecure ? "https://" : "http://") + address.authority + (path.isEmpty ? "/" : path)
        if !query.isEmpty { url += "?" + query.map { "\($0.name)=\($0.value)" }.joined(separator: "&") }
        var signed = HTTPClientRequest(url: url)
        signed.method = request.method
        signed.headers = HTTPHeaders(headers.map { ($0.name, $0.value) })
        signed.headers.add(name: "authorization", value: authorization)
        signed.headers.add(name: "user-agent", value: "sqlite-replicate")
        signed.body = request.body.content(threadPool, progress)
        return signed
    }

    /// Sends a request and waits for the head of the answer.
    ///
    /// - Parameters:
    ///   - request: What to send.
    ///   - byteCount: The size of its body.
    ///   - progress: That of its body, if it is sent piece by piece.
    ///   - place: What is being done where, for messages.
    func execute(
        _ request: HTTPClientRequest,
        byteCount: Int64 = 0,
        progress: UploadProgress? = nil,
        _ place: String
    ) async throws(S3Failure) -> HTTPClientResponse {
        requestCount.add(1, ordering: .relaxed)
        let deadline = NIODeadline.now() + TimeAmount(allowance(byteCount: byteCount))
        do {
            guard let progress else { return try await client.execute(request, deadline: deadline) }
            return try await execute(request, deadline: deadline, progress: progress)
        } catch {
            throw S3Failure(transport: error, place: place, isCancelled: Task.isCancelled)
        }
    }

    /// Sends a request, and gives it up when its body gets no further for the stall time-out.
    private func execute(
        _ request: HTTPClientRequest,
        deadline: NIODeadline,
        progress: UploadProgress
    ) async throws -> HTTPClientResponse {
        let (client, limit) = (client, configuration.limits.stallTimeout)
        return try await withThrowingTaskGroup(of: HTTPClientResponse?.self) { group in
            group.addTask {
                do {
                    return try await client.execute(request, deadline: deadline)
                } catch {
                    throw progress.hasStalled(for: limit) ? HTTPClientError.writeTimeout : error
                }
            }
            group.addTask {
                guard try await progress.stall(of: limit) else { return nil }
                throw HTTPClientError.writeTimeout
            }
            defer { group.cancelAll() }
            while let response = try await group.next() {
                if let response { return response }
            }
            throw CancellationError()
        }
    }

    /// Hands over a body piece by piece, as long as it comes fast enough.
    func consume(
        _ body: HTTPClientResponse.Body,
        of request: S3Request,
        _ take: (ByteBuffer) async throws(S3Failure) -> Void
    ) async throws(S3Failure) {
        let start = ContinuousClock.now
        var byteCount: Int64 = 0
        do {
            for try await piece in body {
                byteCount += Int64(piece.readableBytes)
                guard start.duration(to: .now) <= allowance(byteCount: byteCount) else {
                    throw S3Failure(
                        error: ObjectStoreError(
                            .timedOut,
                            "\(request.action) '\(request.key ?? "")': only \(byteCount) bytes came in "
                                + "\(start.duration(to: .now)). See whether the server and the network are overloaded."
                        ),
                        isTransient: true
                    )
                }
                try await take(piece)
            }
        } catch let failure as S3Failure {
            throw failure
        } catch {
            let place = "\(request.action) 's3://\(configuration.bucket)/\(request.key ?? "")'"
            throw S3Failure(transport: error, place: place, isCancelled: Task.isCancelled)
        }
    }

    /// Reads a document.
    func collect(_ body: HTTPClientResponse.Body, of request: S3Request) async throws(S3Failure) -> ByteBuffer {
        var document = ByteBuffer()
        try await consume(body, of: request) { piece throws(S3Failure) in
            guard document.readableBytes + piece.readableBytes <= S3Answer.largestDocument else {
                throw S3Failure(
                    error: ObjectStoreError(
                        .invalidAnswer,
                        "\(request.action) '\(request.key ?? "")': the answer has over 16 MiB."
                    )
                )
            }
            document.writeImmutableBuffer(piece)
        }
        return document
    }

    /// The time that an exchange with a body of this size may take.
    private func allowance(byteCount: Int64) -> Duration {
        configuration.limits.requestTimeout + .seconds(byteCount / max(1, configuration.limits.slowestTransfer))
    }
}
