import NIOHTTP1

extension S3Failure {
    /// What an error answer means.
    ///
    /// - Parameters:
    ///   - answer: The answer; that to HEAD has no document.
    ///   - request: What it answers.
    ///   - context: Who was asked for what, with which keys.
    init(_ answer: S3Answer, to request: S3Request, _ context: S3Context) {
        let status = answer.head.status
        let document = answer.failure
        let name = document?.code ?? ""
        let told = document.map { ": \($0.code)" + ($0.message.map { ", \"\($0)\"" } ?? "") } ?? ""
        let fact = "\(context.place(request)): HTTP \(status)\(told)"
        func failure(_ code: ObjectStoreError.Code, _ remedy: String, isTransient: Bool = false) -> S3Failure {
            S3Failure(error: ObjectStoreError(code, "\(fact). \(remedy)"), isTransient: isTransient)
        }

        region = answer.head.headers.first(name: "x-amz-bucket-region") ?? document?.region
        let region = region.flatMap { $0 == context.region ? nil : $0 }
        switch (status, name) {
        case (_, "NoSuchBucket"):
            self = failure(.noSuchBucket, "Create the bucket '\(context.bucket)', or correct its name or the endpoint.")
        case (412, _):
            self = failure(.conditionFailed, "Read the object and decide anew.")
            isOtherVersion = true
        case (404, "NoSuchKey"):
            self = failure(.notFound, "There is no such object.")
        case (404, "") where request.method == .HEAD:
            self = failure(.notFound, "There is no such object, or no such bucket.")
        case (404, "NoSuchUpload"):
            self = failure(.serverFailure, "The multipart upload is gone: store the object again.")
            isUploadGone = true
        case (_, "InvalidAccessKeyId"), (_, "ExpiredToken"), (_, "InvalidToken"), (_, "TokenRefreshRequired"):
            self = failure(
                .accessDenied,
                "The server does not take the access key ID '\(context.accessKeyID)': correct or renew the access keys."
            )
            refusesCredentials = true
        case (_, "SignatureDoesNotMatch"):
            self = failure(
                .accessDenied,
                "The secret access key is not that of '\(context.accessKeyID)': correct it. (Or something between here "
                    + "and the server changes requests.)"
            )
            refusesCredentials = true
        case (_, "RequestTimeTooSkewed"), (_, "RequestExpired"):
            self = failure(.clockSkew, "\(Self.skew(answer)): set this host's clock, best by NTP.")
        case (_, "AuthorizationHeaderMalformed") where region != nil, (400, "") where region != nil,
            (301, _), (307, _), (_, "PermanentRedirect"), (_, "IllegalLocationConstraintException"):
            self = failure(.wrongRegion, Self.rightPlace(region, document, context))
        case (403, _), (401, _):
            self = failure(
                .accessDenied,
                "The access key ID '\(context.accessKeyID)' is not allowed to do this: give it the right to read, "
                    + "list, write and delete objects in '\(context.bucket)'."
            )
        case (416, _):
            self = failure(.truncated, "The object is shorter than that: it was cut short, or replaced meanwhile.")
        case (507, _), (_, "XMinioStorageFull"), (_, "QuotaExceeded"), (_, "XMinioAdminBucketQuotaExceeded"):
            self = failure(.diskFull, "The server has no room left: free some, or raise the bucket's quota.")
        case (429, _), (_, "SlowDown"), (_, "SlowDownRead"), (_, "SlowDownWrite"), (_, "TooManyRequests"):
            self = failure(.throttled, "The server asks for fewer requests: try later.", isTransient: true)
        case (408, _), (_, "RequestTimeout"), (_, "RequestCanceled"):
            self = failure(.timedOut, "The server gave the request up: try later.", isTransient: true)
            outcome = .unknown
        case (_, "BadDigest"), (_, "IncompleteBody"), (_, "XAmzContentSHA256Mismatch"):
            self = failure(.integrity, "The bytes were changed or lost on their way.", isTransient: true)
        case (409, _):
            self = failure(.serverFailure, "Another request on the object was under way.", isTransient: true)
            outcome = .unknown
        case (501, _), (505, _):
            self = failure(.invalidRequest, "The server does not serve this kind of request.")
        case (500..., _), (_, "InternalError"):
            self = failure(
                .serverFailure,
                "The server has trouble of its own: look at its log, or try later.",
                isTransient: true
            )
            outcome = .unknown
        default:
            self = failure(
                .invalidRequest,
                "Correct the configuration of the replica, or see whether this is an S3 server."
            )
        }
        self.region = region
        retryAfter = answer.head.headers.first(name: "retry-after").flatMap { Int64($0) }
            .flatMap { (0...3600).contains($0) ? .seconds($0) : nil }
    }

    private static func skew(_ answer: S3Answer) -> String {
        guard let time = answer.head.headers.first(name: "date").flatMap(Timestamp.init(httpDate:)) else {
            return "This host's clock and the server's differ"
        }
        let seconds = time.seconds - Timestamp.now.seconds
        let direction = seconds > 0 ? "behind" : "ahead of"
        return "This host's clock is \(seconds.magnitude) s \(direction) the server's"
    }

    private static func rightPlace(
        _ region: String?,
        _ document: S3AnswerDocuments.Failure?,
        _ context: S3Context
    ) -> String {
        if let region {
            return
                "The bucket '\(context.bucket)' lies in region '\(region)', not '\(context.region)': set region to it."
        }
        if let endpoint = document?.endpoint { return "The bucket '\(context.bucket)' is served by '\(endpoint)'." }
        return "The bucket '\(context.bucket)' lies elsewhere: correct the region or the endpoint."
    }
}

/// Who is asked for what, with which keys: the facts of a message.
struct S3Context: Sendable {
    var bucket: String
    var host: String
    var region: String
    var accessKeyID: String

    /// `Storing 's3://bucket/key' at host:9000`.
    func place(_ request: S3Request) -> String {
        "\(request.action) 's3://\(bucket)\(request.key.map { "/" + $0 } ?? "")' at \(host)"
    }
}
