/// Where requests for a bucket go: the pure part of addressing.
struct S3Address: Hashable, Sendable {
    /// Whether TLS is spoken.
    var isSecure: Bool
    /// The `Host` header: name and, where it is not the scheme's own, port.
    var authority: String
    /// What comes before a key's slash: empty, or the endpoint's path and the bucket.
    var basePath: String

    /// - Throws: code `invalidRequest` for a bucket that cannot be addressed.
    init(_ configuration: S3Configuration, region: String) throws(ObjectStoreError) {
        let bucket = configuration.bucket
        if bucket.hasPrefix("arn:") {
            self = try Self.accessPoint(bucket, endpoint: configuration.endpoint)
            return
        }
        guard !bucket.isEmpty, bucket.utf8.allSatisfy(Self.isAllowedInBucket) else {
            throw ObjectStoreError(
                .invalidRequest,
                "'\(bucket)' cannot be a bucket's name: that has 3 to 63 letters, digits, dots and hyphens."
            )
        }
        let endpoint = configuration.endpoint ?? Self.amazon(region: region)
        // A certificate for *.HOST does not cover names with further dots.
        let wantsPath =
            configuration.forcePathStyle ?? (configuration.endpoint != nil || bucket.utf8.contains(UInt8(ascii: ".")))
        isSecure = endpoint.isSecure
        authority = wantsPath ? endpoint.authority : endpoint.authority(host: "\(bucket).\(endpoint.host)")
        basePath = wantsPath ? "\(endpoint.path)/\(bucket)" : endpoint.path
    }

    /// The address of Amazon S3 in a region.
    static func amazon(region: String) -> S3Endpoint {
        S3Endpoint(host: "s3.\(region).amazonaws.com" + (region.hasPrefix("cn-") ? ".cn" : ""))
    }

    /// `arn:aws:s3:REGION:ACCOUNT:accesspoint/NAME`.
    private static func accessPoint(_ arn: String, endpoint: S3Endpoint?) throws(ObjectStoreError) -> S3Address {
        let parts = arn.split(separator: ":", omittingEmptySubsequences: false)
        guard parts.count == 6, parts[2] == "s3", !parts[3].isEmpty, !parts[4].isEmpty,
            let slash = parts[5].firstIndex(of: "/"), parts[5][..<slash] == "accesspoint",
            case let name = parts[5][parts[5].index(after: slash)...], !name.isEmpty, !name.contains("/")
        else {
            throw ObjectStoreError(
                .invalidRequest,
                "'\(arn)' is no access point: write arn:aws:s3:REGION:ACCOUNT:accesspoint/NAME."
            )
        }
        var target = endpoint ?? amazon(region: String(parts[3]))
        if endpoint == nil { target.host = "s3-accesspoint" + target.host.dropFirst(2) }
        return S3Address(
            isSecure: target.isSecure,
            authority: target.authority(host: "\(name)-\(parts[4]).\(target.host)"),
            basePath: target.path
        )
    }

    private init(isSecure: Bool, authority: String, basePath: String) {
        (self.isSecure, self.authority, self.basePath) = (isSecure, authority, basePath)
    }

    /// The region that an access point's name tells.
    static func region(ofAccessPoint bucket: String) -> String? {
        let parts = bucket.split(separator: ":", omittingEmptySubsequences: false)
        return bucket.hasPrefix("arn:") && parts.count > 3 ? String(parts[3]) : nil
    }

    private static func isAllowedInBucket(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "."), UInt8(ascii: "-"), UInt8(ascii: "_"):
            true
        default: false
        }
    }
}
