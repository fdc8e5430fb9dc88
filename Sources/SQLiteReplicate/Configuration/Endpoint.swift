/// Addresses of S3 servers.
enum Endpoint {
    /// Why a text is no address.
    struct Problem: Error {
        /// Continues a sentence that begins with the key.
        var words: String
    }

    /// The address with its scheme and without a slash at the end.
    static func normalize(_ text: String, defaultScheme: String) throws(Problem) -> String {
        var address = text
        if let scheme = scheme(of: text) {
            guard scheme == "http" || scheme == "https" else {
                throw Problem(words: "must begin with http:// or https://, not \(scheme)://")
            }
            address = scheme + text.dropFirst(scheme.count)
        } else {
            address = "\(defaultScheme)://\(text)"
        }
        while address.hasSuffix("/") { address.removeLast() }
        let host = hostAndPort(of: address)
        guard !host.contains("@") else { throw Problem(words: "must not hold a user or password") }
        guard !host.isEmpty, !host.hasPrefix(":"), isPlausible(address) else {
            throw Problem(words: "is no address: write it as https://HOST or https://HOST:PORT")
        }
        return address
    }

    /// Whether a URL is one of HTTP with a host, and has no characters that a URL cannot have.
    static func isHTTP(_ text: String) -> Bool {
        guard let scheme = scheme(of: text), scheme == "http" || scheme == "https" else { return false }
        let host = hostAndPort(of: text)
        return !host.isEmpty && !host.hasPrefix(":") && isPlausible(text)
    }

    /// The scheme in lower case; `nil` where there is none.
    static func scheme(of text: String) -> String? {
        guard let end = text.firstRange(of: "://")?.lowerBound else { return nil }
        let scheme = text[..<end]
        guard !scheme.isEmpty, scheme.allSatisfy({ $0.isASCII && ($0.isLetter || $0.isNumber || "+-.".contains($0)) })
        else { return nil }
        return scheme.lowercased()
    }

    /// Whether a host, with or without a port, is this machine or one of a private network.
    static func isLocal(_ hostAndPort: some StringProtocol) -> Bool {
        let host =
            hostAndPort.hasPrefix("[")
            ? String(hostAndPort.prefix { $0 != "]" }.dropFirst()) : String(hostAndPort.prefix { $0 != ":" })
        let name = host.lowercased()
        if name == "localhost" || name == "::1" || name.hasSuffix(".local") || name.hasSuffix(".localhost") {
            return true
        }
        let parts = name.split(separator: ".", omittingEmptySubsequences: false)
        let numbers = parts.compactMap { UInt8($0) }
        guard parts.count == 4, numbers.count == 4 else { return false }
        switch (numbers[0], numbers[1]) {
        case (127, _), (10, _), (192, 168), (172, 16...31): return true
        default: return false
        }
    }

    /// Whether a host, without a port and without brackets, is reached from this machine alone.
    static func isLoopback(_ host: some StringProtocol) -> Bool {
        let name = host.lowercased()
        if name == "localhost" || name == "::1" || name.hasSuffix(".localhost") { return true }
        let parts = name.split(separator: ".", omittingEmptySubsequences: false)
        return parts.count == 4 && parts[0] == "127" && parts.allSatisfy { UInt8($0) != nil }
    }

    /// The host of a URL, without its port and brackets.
    static func host(of url: String) -> String {
        let host = hostAndPort(of: url)
        return host.hasPrefix("[") ? String(host.prefix { $0 != "]" }.dropFirst()) : String(host.prefix { $0 != ":" })
    }

    /// What stands between `://` and the path.
    static func hostAndPort(of url: String) -> Substring {
        guard let start = url.firstRange(of: "://")?.upperBound else { return "" }
        return url[start...].prefix { $0 != "/" && $0 != "?" && $0 != "#" }
    }

    private static func isPlausible(_ text: String) -> Bool {
        text.unicodeScalars.allSatisfy { $0.value > 0x20 && $0.value != 0x7F && $0 != "\"" && $0 != "<" && $0 != ">" }
    }
}
