import NIOCore
import NIOHTTP1
import Synchronization

extension S3Client {
    /// Parts of one object under way at a time.
    var concurrency: Int { configuration.concurrency ?? provider.concurrency }

    /// What an error means that came in the body of an answer whose head told of success.
    func failure(_ answer: S3Answer, to request: S3Request) -> S3Failure {
        var answer = answer
        // Errors of the request have come with their own status before; what comes this late is the server's trouble.
        answer.head.status = answer.failure?.code == "PreconditionFailed" ? 412 : 500
        return S3Failure(answer, to: request, context)
    }

    /// What it means that some objects of a batch could not be deleted.
    func failure(
        _ first: S3AnswerDocuments.Deletion.Failure,
        count: Int,
        of total: Int,
        place: String
    ) -> S3Failure {
        let (code, isTransient): (ObjectStoreError.Code, Bool) =
            switch first.code {
            case "AccessDenied": (.accessDenied, false)
            case "SlowDown": (.throttled, true)
            case "InternalError", "ServiceUnavailable": (.serverFailure, true)
            default: (.invalidRequest, false)
            }
        let message =
            "\(place): \(count) of \(total) were not deleted; the first is '\(first.key ?? "")': \(first.code), "
            + "\"\(first.message ?? "")\". See whether the access keys have the right to delete."
        return S3Failure(error: ObjectStoreError(code, message), isTransient: isTransient)
    }

    private var context: S3Context {
        let region = region.withLock { $0 ?? "us-east-1" }
        return S3Context(
            bucket: configuration.bucket,
            host: (try? S3Address(configuration, region: region).authority) ?? configuration.bucket,
            region: region,
            accessKeyID: ""
        )
    }
}
