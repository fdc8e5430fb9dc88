import AsyncHTTPClient
import Logging
import NIOCore
import NIOHTTP1
import NIOPosix
import Synchronization
import SystemPackage

/// Sends signed requests to one bucket and makes sense of what comes back.
final class S3Client: Sendable {
    let configuration: S3Configuration
    let provider: S3Provider
    let threadPool: NIOThreadPool
    let logger: Logger
    let requestCount = Atomic<Int>(0)
    private let transport: S3Transport
    var client: HTTPClient { transport.client }
    private let credentials: S3CredentialsProvider
    /// The bucket's region, once it is known.
    let region: Mutex<String?>

    init(
        configuration: S3Configuration,
        transport: S3Transport,
        environment: ProcessEnvironment,
        threadPool: NIOThreadPool,
        logger: Logger
    ) {
        (self.configuration, self.transport, self.threadPool) = (configuration, transport, threadPool)
        self.logger = logger
        provider = S3Provider(endpoint: configuration.endpoint)
        credentials = S3CredentialsProvider(configuration.credentials, environment: environment)
        let known = configuration.region ?? S3Address.region(ofAccessPoint: configuration.bucket)
        region = Mutex(known ?? (configuration.endpoint == nil ? nil : "us-east-1"))
    }

    /// Sends a request, again where that can help, and reads the whole answer.
    func send(_ request: S3Request) async throws(ObjectStoreError) -> S3Answer {
        try await send(request) { answer throws(S3Failure) in answer }
    }

    /// Sends a request, again where that can help, and reads the whole answer with `read`, whose failures count too.
    func send<Value>(
        _ request: S3Request,
        _ read: (S3Answer) throws(S3Failure) -> Value
    ) async throws(ObjectStoreError) -> Value {
        try await repeating(request) { _ async throws(S3Failure) in
            let answer = try await exchange(request) { head, body throws(S3Failure) in
                S3Answer(head: head, body: try await collect(body, of: request))
            }
            return try read(answer)
        }
    }

    /// Makes attempts until one succeeds, or fails for good.
    ///
    /// - Parameter attempt: One attempt; it tells the counter of progress.
    func repeating<Value>(
        _ request: S3Request,
        _ attempt: (inout S3Retries) async throws(S3Failure) -> Value
    ) async throws(ObjectStoreError) -> Value {
        var retries = S3Retries(configuration.retry, now: .now)
        while true {
            do throws(S3Failure) {
                return try await attempt(&retries)
            } catch {
                guard request.isRepeatable, error.isTransient,
                    let pause = retries.pause(
                        now: .now,
                        retryAfter: error.retryAfter,
                        chance: .random(in: 0...1)
                    )
                else { throw Self.final(error, request, attempts: retries.attempts) }
                logger.info(
                    "Request repeated",
                    metadata: [
                        "s3.attempt": "\(retries.attempts)", "s3.pause": "\(pause)", "error": "\(error.error.message)",
                    ]
                )
                do {
                    try await Pause.sleep(for: pause)
                } catch {
                    throw ObjectStoreError(.cancelled, "\(request.action): the task was cancelled.", cause: error)
                }
            }
        }
    }

    /// The error that a caller gets for the last failure.
    private static func final(_ failure: S3Failure, _ request: S3Request, attempts: Int) -> ObjectStoreError {
        let error = failure.error
        if !request.isRepeatable, failure.outcome == .unknown, error.code != .cancelled {
            return ObjectStoreError(
                .outcomeUnknown,
                "\(error.message) It may have taken effect nevertheless: read the object to find out.",
                cause: error
            )
        }
        guard attempts > 1 else { return error }
        return ObjectStoreError(error.code, "\(error.message) (Sent \(attempts) times.)", cause: error.cause)
    }

    /// Makes one attempt: signs, sends, and hands over an answer that tells of success.
    ///
    /// - Parameters:
    ///   - request: What to send.
    ///   - address: Another place than the bucket's, and its region.
    ///   - receive: Reads the body to its end; leaving it unread closes the connection.
    func exchange<Value>(
        _ request: S3Request,
        at address: (address: S3Address, region: String)? = nil,
        _ receive: (S3AnswerHead, HTTPClientResponse.Body) async throws(S3Failure) -> Value
    ) async throws(S3Failure) -> Value {
        let place: (address: S3Address, region: String)
        let keys: S3Credentials
        let hash: String
        do throws(ObjectStoreError) {
            if let address { place = address } else { place = try await placeOfBucket() }
            keys = try await credentials.credentials(threadPool)
            hash = try await payloadHash(request, isSecure: place.address.isSecure)
        } catch {
            throw S3Failure(error: error, isTransient: error.isTransient)
        }
        let context = S3Context(
            bucket: configuration.bucket,
            host: place.address.authority,
            region: place.region,
            accessKeyID: keys.accessKeyID
        )
        let value = try await transport.limiter.withPlace { () async throws(S3Failure) in
            let progress = UploadProgress()
            let signature = SignatureV4(credentials: keys, region: place.region)
            let response = try await execute(
                signedRequest(request, place.address, signature, hash, progress),
                byteCount: request.body.byteCount,
                progress: request.body.isStreamed ? progress : nil,
                context.place(request)
            )
            let head = S3AnswerHead(status: Int(response.status.code), headers: response.headers)
            if (200..<300).contains(head.status) { return try await receive(head, response.body) }
            let body = request.method == .HEAD ? ByteBuffer() : (try? await response.body.collect(upTo: 1 << 20))
            var failure = S3Failure(S3Answer(head: head, body: body ?? ByteBuffer()), to: request, context)
            // An answer to HEAD does not say why; where there are newer keys they are tried.
            let mayRefuseThem = request.method == .HEAD && [400, 401, 403].contains(head.status)
            if failure.refusesCredentials || mayRefuseThem, !failure.isTransient {
                failure.isTransient = await credentials.refresh(after: keys, threadPool)
            }
            throw failure
        }
        guard let value else {
            let message = "\(context.place(request)): the task was cancelled."
            throw S3Failure(error: ObjectStoreError(.cancelled, message))
        }
        return value
    }
}
