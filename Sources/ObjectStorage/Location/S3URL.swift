/// The parts of an `s3` URL.
struct S3URL {
    var configuration: S3Configuration
    var prefix: String

    /// - Parameters:
    ///   - rest: What follows `s3://`.
    ///   - text: The whole, for messages.
    init(parsing rest: Substring, of text: String) throws(ObjectStoreError) {
        guard !rest.contains("#") else { throw StoreLocation.invalid(text, "a '#' in it has to be written %23") }
        let mark = rest.firstIndex(of: "?") ?? rest.endIndex
        let (place, query) = (rest[..<mark], rest[mark...].dropFirst())
        let (host, path) = Self.split(place)
        guard !host.isEmpty else { throw StoreLocation.invalid(text, "it names no bucket") }
        guard !host.contains("@") else { throw StoreLocation.invalid(text, "access keys do not belong in it") }
        guard let decoded = String(path).percentDecoded() else {
            throw StoreLocation.invalid(text, "the escapes in its path are malformed")
        }
        configuration = try Self.configuration(host: String(host), of: text)
        prefix = Self.cleaned(decoded)
        for pair in query.split(separator: "&") {
            let equals = pair.firstIndex(of: "=") ?? pair.endIndex
            guard let name = String(pair[..<equals]).percentDecoded(plusIsSpace: true),
                let value = String(pair[equals...].dropFirst()).percentDecoded(plusIsSpace: true)
            else { throw StoreLocation.invalid(text, "the escapes in its query are malformed") }
            try configuration.apply(parameter: name, value: value, of: text)
        }
        try configuration.finishEncryption(query: query, of: text)
    }

    /// Host and path; an access point's ARN has a slash within.
    private static func split(_ place: Substring) -> (host: Substring, path: Substring) {
        var start = place.startIndex
        if place.hasPrefix("arn:"), let slash = place.firstIndex(of: "/") { start = place.index(after: slash) }
        let slash = place[start...].firstIndex(of: "/") ?? place.endIndex
        return (place[..<slash], place[slash...])
    }

    /// The path cleaned as Litestream does: `//`, `.` and `..` resolved, no slash at either end; `.` for no path at
    /// all.
    private static func cleaned(_ path: String) -> String {
        if path.isEmpty { return "." }
        var components: [Substring] = []
        for component in path.split(separator: "/") where component != "." {
            if component == ".." {
                _ = components.popLast()
            } else {
                components.append(component)
            }
        }
        return components.joined(separator: "/")
    }

    /// What a host says of bucket, region and endpoint.
    private static func configuration(host: String, of text: String) throws(ObjectStoreError) -> S3Configuration {
        var configuration = S3Configuration(bucket: host)
        if host.hasPrefix("arn:") { return configuration }
        if host.contains(":") {
            guard let dot = host.firstIndex(of: "."), dot > host.startIndex else {
                throw StoreLocation.invalid(text, "with a port it has to be s3://BUCKET.HOST:PORT/PATH")
            }
            configuration.bucket = String(host[..<dot])
            configuration.endpoint = try S3Endpoint("http://" + host[host.index(after: dot)...])
            configuration.forcePathStyle = true
            return configuration
        }
        let labels = host.split(separator: ".", omittingEmptySubsequences: false).map(String.init)
        func name(before count: Int) -> String { labels.dropLast(count).joined(separator: ".") }
        switch (labels.suffix(2).joined(separator: "."), labels.count) {
        case ("amazonaws.com", 5...) where labels[labels.count - 4] == "s3":
            (configuration.bucket, configuration.region) = (name(before: 4), labels[labels.count - 3])
        case ("amazonaws.com", 4...) where labels[labels.count - 3] == "s3":
            configuration.bucket = name(before: 3)
        case ("digitaloceanspaces.com", 4...):
            (configuration.bucket, configuration.region) = (name(before: 3), labels[labels.count - 3])
            configuration.endpoint = S3Endpoint(host: labels.suffix(3).joined(separator: "."))
        case ("backblazeb2.com", 5...) where labels[labels.count - 4] == "s3",
            ("scw.cloud", 5...) where labels[labels.count - 4] == "s3":
            (configuration.bucket, configuration.region) = (name(before: 4), labels[labels.count - 3])
            configuration.endpoint = S3Endpoint(host: labels.suffix(4).joined(separator: "."))
        case ("filebase.com", 4...) where labels[labels.count - 3] == "s3":
            configuration.bucket = name(before: 3)
            configuration.endpoint = S3Endpoint(host: labels.suffix(3).joined(separator: "."))
        default:
            // A bucket's name can have dots of its own.
            break
        }
        return configuration
    }
}
