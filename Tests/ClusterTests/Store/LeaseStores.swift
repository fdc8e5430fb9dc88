import ObjectStorage
import TestSupport

extension S3TestServer {
    /// A store in this server's bucket as a lease wants it: nothing is repeated, and nothing takes long.
    func leaseStore() throws -> S3Store {
        var configuration = S3Configuration(bucket: bucket)
        configuration.endpoint = try S3Endpoint(endpoint)
        configuration.credentials = .keys(
            S3Credentials(accessKeyID: accessKeyID, secretAccessKey: secretAccessKey)
        )
        configuration.retry = .never
        configuration.limits.requestTimeout = .seconds(5)
        return try S3Store(configuration: configuration)
    }
}
