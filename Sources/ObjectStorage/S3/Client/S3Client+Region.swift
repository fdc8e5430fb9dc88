import NIOHTTP1
import Synchronization

extension S3Client {
    /// Where the bucket's requests go, and the region they are signed for; looked up once where it was not given.
    func placeOfBucket() async throws(ObjectStoreError) -> (address: S3Address, region: String) {
        let found: String
        if let known = region.withLock(\.self) {
            found = known
        } else {
            found = try await lookUpRegion(at: S3Address.amazon(region: "us-east-1"))
            region.withLock { $0 = found }
        }
        return (try S3Address(configuration, region: found), found)
    }

    /// Asks one region's server for the bucket's region.
    func lookUpRegion(at endpoint: S3Endpoint) async throws(ObjectStoreError) -> String {
        var configuration = configuration
        (configuration.endpoint, configuration.forcePathStyle) = (endpoint, true)
        let place = (address: try S3Address(configuration, region: "us-east-1"), region: "us-east-1")
        let request = S3Request(method: .GET, query: [("location", "")], action: "Looking up the region of")
        return try await repeating(request) { _ async throws(S3Failure) in
            let answer: S3Answer
            do throws(S3Failure) {
                answer = try await exchange(request, at: place) { head, body throws(S3Failure) in
                    S3Answer(head: head, body: try await collect(body, of: request))
                }
            } catch {
                // Those who ask in the wrong place are told the right one.
                if let region = error.region { return region }
                throw error
            }
            if let region = answer.head.headers.first(name: "x-amz-bucket-region") { return region }
            let location = try answer.decode(S3AnswerDocuments.Location.self, place: request.action)
            return switch location.region ?? "" {
            // The first region has no name there, and the first one in Europe its old one.
            case "": "us-east-1"
            case "EU": "eu-west-1"
            case let name: name
            }
        }
    }
}
