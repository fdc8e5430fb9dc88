public import AsyncHTTPClient
public import Logging
public import NIOPosix
import Synchronization
import SystemPackage

/// An ``ObjectStore`` in a bucket behind the S3 protocol: Amazon's, MinIO's or another's.
///
/// Requests are repeated as the configuration's ``S3Configuration/retry`` says, but for conditional puts, which are
/// sent once. Downloads go on at the right byte after a connection broke. Objects above the part size are stored in
/// parts, several at a time; parts of an upload that did not succeed are taken back.
public final class S3Store: ObjectStore {
    /// Where the bucket is and how to talk to it.
    public var configuration: S3Configuration { client.configuration }
    let client: S3Client

    /// Creates a store; nothing is sent before the first call.
    ///
    /// Stores of one server whose limits and trust are the same share one HTTP client, which lives as long as the
    /// process and costs nothing while idle.
    ///
    /// - Parameters:
    ///   - configuration: Where the bucket is and how to talk to it.
    ///   - httpClient: A client to use instead of the shared one; whoever made it shuts it down. Trust, time-outs of
    ///     connections and their number are then that client's business.
    ///   - environment: Where access keys and `AWS_CA_BUNDLE` are looked up.
    ///   - threadPool: Runs what blocks: reading and hashing files.
    ///   - logger: Told of repeated requests, at level `info`.
    /// - Throws: code `invalidRequest` for a configuration that cannot work.
    public init(
        configuration: S3Configuration,
        httpClient: HTTPClient? = nil,
        environment: ProcessEnvironment = .current,
        threadPool: NIOThreadPool = .singleton,
        logger: Logger = Logger(label: "s3")
    ) throws(ObjectStoreError) {
        try configuration.validate()
        let transport: S3Transport
        if let httpClient {
            let limiter = ConnectionLimiter(configuration.limits.maximumConnections)
            transport = S3Transport(client: httpClient, limiter: limiter)
        } else {
            let file = configuration.certificateAuthorities ?? environment["AWS_CA_BUNDLE"].map { FilePath($0) }
            let isSecure = configuration.endpoint?.isSecure ?? true
            if let file, isSecure { try Self.check(certificateAuthorities: file) }
            transport = .shared(
                server: configuration.endpoint?.description ?? "",
                limits: configuration.limits,
                certificateAuthorities: isSecure ? file : nil,
                skipVerify: isSecure && configuration.skipVerify
            )
        }
        client = S3Client(
            configuration: configuration,
            transport: transport,
            environment: environment,
            threadPool: threadPool,
            logger: logger
        )
    }

    public var description: String { "s3://\(configuration.bucket)" }

    /// Amazon refuses a put whose condition does not hold; of others it is not known.
    public var honoursConditions: Bool? { configuration.endpoint == nil ? true : nil }

    /// The number of HTTP requests sent so far by this store, repeated ones included.
    public var requestCount: Int { client.requestCount.load(ordering: .relaxed) }

    /// A missing file would be told at every connection, and not by its name.
    private static func check(certificateAuthorities file: FilePath) throws(ObjectStoreError) {
        do throws(Errno) {
            guard try file.stat().type == .regular else { throw .invalidArgument }
        } catch {
            throw ObjectStoreError(
                .invalidRequest,
                "The file '\(file)' of trusted certificates cannot be read (\(error)): correct the path, or "
                    + "AWS_CA_BUNDLE.",
                cause: error
            )
        }
    }
}
