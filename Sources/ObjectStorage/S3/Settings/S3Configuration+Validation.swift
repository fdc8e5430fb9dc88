extension S3Configuration {
    /// The smallest part that servers take, but for an upload's last.
    static let smallestPart: Int64 = 5 << 20

    /// - Throws: code `invalidRequest` for what cannot work, whatever the server.
    func validate() throws(ObjectStoreError) {
        _ = try S3Address(self, region: region ?? "us-east-1")
        guard partSize >= Self.smallestPart else {
            throw ObjectStoreError(
                .invalidRequest,
                "The part size for '\(bucket)' is \(partSize) bytes, but S3 takes no parts below \(Self.smallestPart)."
            )
        }
        guard concurrency.map({ $0 > 0 }) ?? true else {
            throw ObjectStoreError(.invalidRequest, "The concurrency for '\(bucket)' must be at least 1.")
        }
        if case .customerKey = encryption, let endpoint, !endpoint.isSecure, !S3Endpoint.isNear(endpoint.host) {
            throw ObjectStoreError(
                .invalidRequest,
                "A customer key for server-side encryption would go to '\(endpoint)' in the clear: use https."
            )
        }
    }

    /// Headers of requests for an object's content.
    var keyHeaders: [(name: String, value: String)] {
        if case .customerKey(let key) = encryption { return key.headers }
        return []
    }

    /// Headers of requests that create an object.
    func creationHeaders(_ metadata: ObjectMetadata) -> [(name: String, value: String)] {
        var headers = [(name: "content-type", value: "application/octet-stream")]
        if let timestamp = metadata.timestamp { headers.append((S3Store.timestampHeader, timestamp.shortText)) }
        if let storageClass { headers.append(("x-amz-storage-class", storageClass)) }
        if case .managedKey(let id) = encryption {
            headers.append(("x-amz-server-side-encryption", "aws:kms"))
            if !id.isEmpty { headers.append(("x-amz-server-side-encryption-aws-kms-key-id", id)) }
        }
        return headers + keyHeaders
    }
}
