import AsyncHTTPClient
import ObjectStorage
import TestSupport

extension S3TestServer {
    /// A store in this server's bucket, with short pauses.
    func store(_ change: (inout S3Configuration) throws -> Void = { _ in }) throws -> S3Store {
        var configuration = S3Configuration(bucket: bucket)
        configuration.endpoint = try S3Endpoint(endpoint)
        configuration.credentials = .keys(
            S3Credentials(accessKeyID: accessKeyID, secretAccessKey: secretAccessKey)
        )
        configuration.retry.firstDelay = .milliseconds(10)
        try change(&configuration)
        return try S3Store(configuration: configuration)
    }
}

extension ScriptedHTTPServer {
    /// A store in the bucket `b` of this server, with short pauses and time-outs.
    func store(
        httpClient: HTTPClient? = nil,
        _ change: (inout S3Configuration) throws -> Void = { _ in }
    ) throws -> S3Store {
        var configuration = S3Configuration(bucket: "b")
        configuration.endpoint = try S3Endpoint(endpoint)
        configuration.credentials = .keys(S3Credentials(accessKeyID: "ID", secretAccessKey: "secret"))
        configuration.retry.firstDelay = .milliseconds(1)
        configuration.retry.maximumAttempts = 4
        configuration.limits.stallTimeout = .seconds(10)
        try change(&configuration)
        return try S3Store(configuration: configuration, httpClient: httpClient)
    }
}

/// A prefix of keys that no other test uses.
func freshPrefix() -> String { "t" + String(UInt64.random(in: .min ... .max), radix: 16) + "/" }
