import SystemPackage
import Yams

extension ConfigurationDecoder {
    /// The S3 settings that a mapping sets, as changes: what is not set stays as it is.
    func s3Settings(_ reader: MappingReader) throws(ConfigurationError) -> [(inout S3Settings) -> Void] {
        var changes: [(inout S3Settings) -> Void] = []
        func change<Value>(_ path: WritableKeyPath<S3Settings, Value>, _ value: Value?) {
            if let value { changes.append { $0[keyPath: path] = value } }
        }
        change(\.accessKeyID, try reader.secret("access-key-id").map(Optional.some))
        change(\.secretAccessKey, try reader.secret("secret-access-key").map(Optional.some))
        change(\.region, try reader.text("region").map(Optional.some))
        change(\.bucket, try reader.text("bucket"))
        if let text = try reader.text("endpoint") {
            do {
                change(\.endpoint, try Endpoint.normalize(text, defaultScheme: "https"))
            } catch {
                throw reader.invalid("endpoint", error.words)
            }
        }
        change(\.forcePathStyle, try reader.bool("force-path-style").map(Optional.some))
        change(\.signPayload, try reader.bool("sign-payload"))
        change(\.requireContentMD5, try reader.bool("require-content-md5").map(Optional.some))
        change(\.signAcceptEncoding, try reader.bool("sign-accept-encoding").map(Optional.some))
        change(\.skipVerify, try reader.bool("skip-verify"))
        change(\.storageClass, try reader.text("storage-class").map(Optional.some))
        change(\.partSize, try reader.byteSize("part-size"))
        change(\.concurrency, try reader.count("concurrency").map(Optional.some))
        change(\.sseCustomerAlgorithm, try reader.text("sse-customer-algorithm").map(Optional.some))
        change(\.sseCustomerKey, try reader.secret("sse-customer-key").map(Optional.some))
        if let text = try reader.text("sse-customer-key-path") {
            let path = try absolute(reader, "sse-customer-key-path") { paths throws(PathText.NoHome) in
                try paths.absolute(text)
            }
            change(\.sseCustomerKeyPath, path.string)
        }
        change(\.sseKMSKeyID, try reader.text("sse-kms-key-id").map(Optional.some))
        return changes
    }
}
