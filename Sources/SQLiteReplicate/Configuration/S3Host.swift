/// The host of an `s3://` URL: a bucket alone, or a bucket at a provider's own host name.
enum S3Host {
    /// Reads bucket, and where the host names a server, endpoint, region and addressing.
    static func read(_ host: String, into settings: inout S3Settings) throws(ReplicaURL.Problem) {
        guard !host.contains("%"), !host.contains(where: \.isWhitespace) else {
            throw .init(.invalidValue, "has a bucket name with characters that buckets cannot have")
        }
        if host.contains(":") { return try readHostWithPort(host, into: &settings) }
        let labels = host.split(separator: ".", omittingEmptySubsequences: false)
        guard !labels.contains(where: \.isEmpty) else {
            throw .init(.invalidValue, "has an empty part in the host '\(host)'")
        }
        /// The labels in front of `suffix`, where the host ends in it.
        func front(of suffix: String) -> ArraySlice<Substring>? {
            let count = suffix.split(separator: ".").count
            guard host.lowercased().hasSuffix("." + suffix) else { return nil }
            return labels.dropLast(count)
        }
        func set(_ bucket: ArraySlice<Substring>, region: Substring?, endpoint: String?, pathStyle: Bool?) {
            settings.bucket = bucket.joined(separator: ".")
            settings.region = region.map(String.init)
            settings.endpoint = endpoint.map { "https://\($0)" }
            settings.forcePathStyle = pathStyle
        }
        if let front = front(of: "amazonaws.com") {
            if front.count >= 3, front[front.endIndex - 2] == "s3" {
                return set(front.dropLast(2), region: front.last, endpoint: nil, pathStyle: nil)
            }
            if front.count >= 2, front.last == "s3" {
                return set(front.dropLast(), region: nil, endpoint: nil, pathStyle: nil)
            }
        }
        if let front = front(of: "digitaloceanspaces.com"), front.count >= 2, let region = front.last {
            let endpoint = "\(region).digitaloceanspaces.com"
            return set(front.dropLast(), region: region, endpoint: endpoint, pathStyle: false)
        }
        if let front = front(of: "s3.filebase.com"), !front.isEmpty {
            return set(front, region: "us-east-1", endpoint: "s3.filebase.com", pathStyle: true)
        }
        for (suffix, pathStyle) in [("backblazeb2.com", true), ("scw.cloud", false)] {
            guard let front = front(of: suffix), front.count >= 3, front[front.endIndex - 2] == "s3",
                let region = front.last
            else { continue }
            let endpoint = "s3.\(region).\(suffix)"
            return set(front.dropLast(2), region: region, endpoint: endpoint, pathStyle: pathStyle)
        }
        settings.bucket = host
    }

    /// `BUCKET.HOST:PORT`: plain HTTP and path style, as for a MinIO of one's own.
    private static func readHostWithPort(_ host: String, into settings: inout S3Settings) throws(ReplicaURL.Problem) {
        let parts = host.split(separator: ":", omittingEmptySubsequences: false)
        let names = parts[0].split(separator: ".", maxSplits: 1, omittingEmptySubsequences: false)
        guard parts.count == 2, let port = UInt16(parts[1]), port > 0, names.count == 2, !names[0].isEmpty,
            !names[1].isEmpty
        else {
            throw .init(
                .invalidValue,
                "has a port and no server: write s3://BUCKET.HOST:PORT/PATH, or s3://BUCKET/PATH?endpoint=HOST:PORT",
            )
        }
        settings.bucket = String(names[0])
        settings.endpoint = "http://\(names[1]):\(port)"
        settings.forcePathStyle = true
    }
}
