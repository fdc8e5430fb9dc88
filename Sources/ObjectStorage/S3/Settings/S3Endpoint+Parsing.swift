extension S3Endpoint {
    /// Reads `https://host:port/path`, with or without the scheme.
    ///
    /// - Parameters:
    ///   - text: The address.
    ///   - guessesScheme: What a missing scheme means. `false`: `https`. `true`: `http` for `localhost`, `*.localhost`,
    ///     `*.local` and addresses of loopback and of private networks, as in the query of a replica's URL.
    /// - Throws: code `invalidRequest` for what is no such address.
    public init(_ text: String, guessesScheme: Bool = false) throws(ObjectStoreError) {
        var rest = text[...]
        var isSecure: Bool?
        if let end = text.firstRange(of: "://") {
            switch text[..<end.lowerBound].lowercased() {
            case "https": isSecure = true
            case "http": isSecure = false
            default: throw Self.invalid(text, "its scheme is neither http nor https")
            }
            rest = text[end.upperBound...]
        }
        guard !rest.contains(where: { "?#@ ".contains($0) }) else {
            throw Self.invalid(text, "it must have a scheme, a host, a port and a path at most")
        }
        let slash = rest.firstIndex(of: "/") ?? rest.endIndex
        let (host, port) = try Self.hostAndPort(rest[..<slash], of: text)
        var path = rest[slash...]
        while path.hasSuffix("/") { path.removeLast() }
        self.init(
            isSecure: isSecure ?? !(guessesScheme && Self.isNear(host)),
            host: host,
            port: port,
            path: String(path)
        )
    }

    private static func hostAndPort(
        _ authority: Substring,
        of text: String
    ) throws(ObjectStoreError) -> (host: String, port: Int?) {
        var (host, digits) = (authority, Substring?.none)
        if authority.hasPrefix("["), let end = authority.firstIndex(of: "]") {
            host = authority[authority.index(after: authority.startIndex)..<end]
            let rest = authority[authority.index(after: end)...]
            if rest.hasPrefix(":") { digits = rest.dropFirst() }
            guard rest.isEmpty || digits != nil else { throw invalid(text, "its host cannot be read") }
        } else if let colon = authority.firstIndex(of: ":") {
            (host, digits) = (authority[..<colon], authority[authority.index(after: colon)...])
        }
        guard !host.isEmpty else { throw invalid(text, "it names no host") }
        guard let digits else { return (String(host), nil) }
        guard let port = Int(digits), (1...65535).contains(port) else { throw invalid(text, "its port is no number") }
        return (String(host), port)
    }

    /// Whether a host is this one, or in a private network.
    static func isNear(_ host: String) -> Bool {
        if host == "localhost" || host == "::1" || host.hasSuffix(".local") || host.hasSuffix(".localhost") {
            return true
        }
        let parts = host.split(separator: ".", omittingEmptySubsequences: false).map { UInt8($0) }
        guard parts.count == 4, let first = parts[0], let second = parts[1], parts[2] != nil, parts[3] != nil else {
            return false
        }
        return switch (first, second) {
        case (127, _), (10, _), (192, 168), (172, 16...31): true
        default: false
        }
    }

    private static func invalid(_ text: String, _ fact: String) -> ObjectStoreError {
        ObjectStoreError(.invalidRequest, "The S3 endpoint '\(text)' cannot be used: \(fact), as in https://host:9000.")
    }
}
