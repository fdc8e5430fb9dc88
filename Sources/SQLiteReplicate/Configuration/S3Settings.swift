/// The settings of an `s3` replica, with the names of their keys.
public struct S3Settings: Hashable, Sendable {
    /// `bucket`, text, required (here or in `url`).
    public var bucket = ""

    /// `access-key-id`, text, default none: then the environment and the shared credentials file are asked.
    public var accessKeyID: Secret?

    /// `secret-access-key`, text, default none; both keys or neither.
    public var secretAccessKey: Secret?

    /// `region`, text, default none: then `us-east-1` where there is an endpoint, else looked up.
    public var region: String?

    /// `endpoint`, URL with its scheme, default none (AWS). Without a scheme in the file: `https://`; in the query of
    /// a URL: `http://` for hosts of this machine and of private networks, else `https://`.
    public var endpoint: String?

    /// `force-path-style`, bool, default none: path style with an endpoint, virtual-hosted for AWS.
    public var forcePathStyle: Bool?

    /// `sign-payload`, bool, default true: whether the body's SHA-256 is signed.
    public var signPayload = true

    /// `require-content-md5`, bool, default none: sent with deletions of many objects, except to stores known to
    /// refuse it.
    public var requireContentMD5: Bool?

    /// `sign-accept-encoding`, bool, default none: `accept-encoding` is signed, except for stores known to rewrite it.
    public var signAcceptEncoding: Bool?

    /// `skip-verify`, bool, default false: do not check the server's TLS certificate.
    public var skipVerify = false

    /// `storage-class`, text, default none: `x-amz-storage-class` of what is written.
    public var storageClass: String?

    /// `part-size`, bytes, default 5242880, at least that, at most 5 GiB: from this size on uploads are cut into parts.
    public var partSize: Int64 = 5_242_880

    /// `concurrency`, parts from 1 to 1000, default none: how many parts are uploaded at a time; then 5, or 2 for stores
    /// known to bear no more.
    public var concurrency: Int?

    /// `sse-customer-algorithm`, text, default none; `AES256` where ``sseCustomerKey`` is set.
    public var sseCustomerAlgorithm: String?

    /// `sse-customer-key`, base64 of 32 bytes, default none: the server encrypts with this key and does not keep it.
    public var sseCustomerKey: Secret?

    /// `sse-customer-key-path`, path, default none: a file that holds ``sseCustomerKey``.
    public var sseCustomerKeyPath: String?

    /// `sseCustomerKeyMD5` of a URL's query, base64, default none: computed where it is not given.
    public var sseCustomerKeyMD5: String?

    /// `sse-kms-key-id`, text, default none: the server encrypts with this key of its key service.
    public var sseKMSKeyID: String?

    /// Creates the defaults, without a bucket.
    public init() {}
}
