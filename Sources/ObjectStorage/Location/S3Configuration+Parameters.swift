extension S3Configuration {
    /// Applies one parameter of a URL's query. Customer keys are left to ``finishEncryption(query:of:)``.
    mutating func apply(parameter: String, value: String, of text: String) throws(ObjectStoreError) {
        switch Self.plain(parameter) {
        case "endpoint": endpoint = try S3Endpoint(value, guessesScheme: true)
        case "region": region = value.isEmpty ? nil : value
        case "forcepathstyle": forcePathStyle = try Self.flag(parameter, value, text)
        case "skipverify": skipVerify = try Self.flag(parameter, value, text)
        case "signpayload": signPayload = try Self.flag(parameter, value, text)
        case "requirecontentmd5": requireContentMD5 = try Self.flag(parameter, value, text)
        case "signacceptencoding": signAcceptEncoding = try Self.flag(parameter, value, text)
        case "storageclass": storageClass = value.isEmpty ? nil : value
        case "concurrency":
            guard let number = Int(value), (1...1000).contains(number) else {
                throw StoreLocation.invalid(text, "the value of '\(parameter)' is no number from 1 to 1000")
            }
            concurrency = number
        case "partsize":
            guard let number = Int64(value), number > 0 else {
                throw StoreLocation.invalid(text, "the value of '\(parameter)' is no number of bytes")
            }
            partSize = number
        case "ssecustomeralgorithm":
            guard value == "AES256" else { throw StoreLocation.invalid(text, "'\(parameter)' can be AES256 alone") }
        case "ssecustomerkey", "ssecustomerkeymd5", "ssekmskeyid":
            break
        default:
            throw StoreLocation.invalid(text, "'\(parameter)' is no parameter of S3")
        }
    }

    /// Applies the parameters of encryption, which belong together.
    mutating func finishEncryption(query: Substring, of text: String) throws(ObjectStoreError) {
        var values: [String: String] = [:]
        for pair in query.split(separator: "&") {
            let equals = pair.firstIndex(of: "=") ?? pair.endIndex
            // Base64 has a plus of its own, which is not meant as a space here.
            values[Self.plain(String(pair[..<equals]))] = String(pair[equals...].dropFirst()).percentDecoded()
        }
        let key = values["ssecustomerkey"] ?? ""
        let id = values["ssekmskeyid"] ?? ""
        guard key.isEmpty || id.isEmpty else {
            throw StoreLocation.invalid(text, "a customer key and a KMS key exclude each other")
        }
        if !key.isEmpty { encryption = .customerKey(try S3CustomerKey(base64: key, md5: values["ssecustomerkeymd5"])) }
        if !id.isEmpty { encryption = .managedKey(id: id) }
    }

    /// A parameter's name without hyphens and capitals, so that both spellings are the same.
    private static func plain(_ name: String) -> String { name.filter { $0 != "-" }.lowercased() }

    private static func flag(_ name: String, _ value: String, _ text: String) throws(ObjectStoreError) -> Bool {
        switch value.lowercased() {
        case "true", "1", "t", "yes": true
        case "false", "0", "f", "no": false
        default: throw StoreLocation.invalid(text, "the value of '\(name)' is neither true nor false")
        }
    }
}
