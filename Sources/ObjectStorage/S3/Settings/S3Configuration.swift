public import SystemPackage

/// Where a bucket is, and how to talk to it.
///
/// Only ``bucket`` is needed for Amazon S3 with credentials in the environment; for other servers also ``endpoint``:
///
/// ```swift
/// var configuration = S3Configuration(bucket: "backups")
/// configuration.endpoint = try S3Endpoint("http://127.0.0.1:9000")
/// configuration.credentials = .keys(S3Credentials(accessKeyID: "minioadmin", secretAccessKey: "minioadmin"))
/// ```
public struct S3Configuration: Hashable, Sendable {
    /// The bucket's name, or the ARN of an access point (`arn:aws:s3:REGION:ACCOUNT:accesspoint/NAME`).
    public var bucket: String
    /// The region to sign for; `nil`: `us-east-1` where there is an ``endpoint``, else it is looked up once.
    public var region: String?
    /// The server; `nil` for Amazon S3 in ``region``.
    public var endpoint: S3Endpoint?
    /// Whether the bucket is named in the path (`true`) or in the host (`false`).
    ///
    /// `nil`: in the path where there is an ``endpoint``, else in the host.
    public var forcePathStyle: Bool?
    /// Where the access keys come from.
    public var credentials: S3CredentialsSource = .environment

    /// Whether the body's SHA-256 is signed too. `false` has effect over TLS alone, where the connection protects it.
    public var signPayload = true
    /// Whether batch deletes carry `Content-MD5`; `nil`: as the provider wants it, which is yes but for Tigris.
    public var requireContentMD5: Bool?
    /// Taken for the sake of existing configurations; requests of this client carry no `accept-encoding`.
    public var signAcceptEncoding = true
    /// Bytes of a part of a multipart upload, and the size up to which an object is sent whole; at least 5 MiB.
    ///
    /// It grows as needed for an object to fit in 10,000 parts.
    public var partSize: Int64 = 5 << 20
    /// Parts of one object under way at a time; `nil`: as the provider bears it, which is 5, or 2 for Cloudflare R2.
    public var concurrency: Int?
    /// `x-amz-storage-class` of what is stored, such as `STANDARD_IA`.
    public var storageClass: String?
    /// How the server shall encrypt objects, beyond what the bucket does by itself.
    public var encryption: S3Encryption?

    /// A file of certificates in PEM form that are trusted instead of the system's.
    ///
    /// `nil`: the file named by the environment variable `AWS_CA_BUNDLE`, else the system's.
    public var certificateAuthorities: FilePath?
    /// Whether the server's certificate goes unchecked. Anybody between here and there can then read and change all.
    public var skipVerify = false

    /// Time-outs and limits of connections.
    public var limits = S3Limits()
    /// How often and how long a request is repeated.
    public var retry = S3RetryPolicy()

    /// Creates a configuration for a bucket of Amazon S3, with credentials of the environment.
    public init(bucket: String) { self.bucket = bucket }
}

/// Server-side encryption beyond the bucket's own.
public enum S3Encryption: Hashable, Sendable {
    /// SSE-C: the server encrypts with this key of ours and forgets it.
    case customerKey(S3CustomerKey)
    /// SSE-KMS, with this key of the key management service.
    case managedKey(id: String)
}

/// Time-outs and limits of an ``S3Store``.
public struct S3Limits: Hashable, Sendable {
    /// The time in which a connection must stand, TLS included.
    public var connectTimeout: Duration = .seconds(10)
    /// The time from a request to the first byte of its answer, on top of ``slowestTransfer``'s share of its body.
    public var requestTimeout: Duration = .seconds(60)
    /// The longest time without a byte in either direction while an answer is under way or a body is being sent.
    public var stallTimeout: Duration = .seconds(30)
    /// After this long without use a connection is closed. Some servers close theirs after 20 s.
    public var idleTimeout: Duration = .seconds(15)
    /// Bytes a second below which a transfer is given up.
    public var slowestTransfer: Int64 = 16 << 10
    /// Connections at a time to one server, over all stores of this process with the same limits and trust.
    public var maximumConnections = 32

    /// The defaults.
    public init() {}
}

/// How requests are repeated that can be: after 5xx, 429, 408 and lost connections, with growing, random pauses.
public struct S3RetryPolicy: Hashable, Sendable {
    /// The number of times a request is sent at most. Progress of a download sets the count back to zero.
    public var maximumAttempts = 10
    /// The longest first pause; each further one is twice as long.
    public var firstDelay: Duration = .milliseconds(100)
    /// The longest pause.
    public var longestDelay: Duration = .seconds(20)
    /// The time after which nothing is repeated any more. Progress of a download starts it again.
    public var maximumTime: Duration = .seconds(120)

    /// The defaults.
    public init() {}

    /// One attempt alone.
    public static var never: S3RetryPolicy {
        var policy = S3RetryPolicy()
        policy.maximumAttempts = 1
        return policy
    }
}
