/// What is known of a provider by its endpoint's host, where it differs from Amazon's.
struct S3Provider: Sendable {
    /// Parts of one upload at a time.
    var concurrency = 5
    /// Whether batch deletes carry `Content-MD5`.
    var wantsContentMD5 = true
    /// Sent with every request.
    var headers: [(name: String, value: String)] = []

    init(endpoint: S3Endpoint?) {
        guard let host = endpoint?.host.lowercased() else { return }
        if host.hasSuffix(".r2.cloudflarestorage.com") {
            // With more than three parts of one upload at a time it answers 500.
            concurrency = 2
        } else if host == "fly.storage.tigris.dev" || host == "t3.storage.dev" || host.hasSuffix(".tigris.dev") {
            wantsContentMD5 = false
            // Without it a listing may lack what was just written.
            headers = [("x-tigris-consistent", "true")]
        }
    }
}
