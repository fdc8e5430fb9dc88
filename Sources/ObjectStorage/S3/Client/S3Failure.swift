/// Why one attempt at a request came to nothing, and what that means for another.
struct S3Failure: Error {
    /// What is known of the request's effect at the server.
    enum Outcome {
        /// It had none.
        case none
        /// It may have had one.
        case unknown
    }

    var error: ObjectStoreError
    /// Whether the same request can succeed if it is sent again.
    var isTransient = false
    var outcome = Outcome.none
    /// The pause that the server asks for.
    var retryAfter: Duration?
    /// The bucket's region, where the server tells it.
    var region: String?
    /// Whether the access keys were not taken.
    var refusesCredentials = false
    /// Whether the object has another version than the one asked for.
    var isOtherVersion = false
    /// Whether a multipart upload is unknown to the server, as it is once it was completed.
    var isUploadGone = false
}
