import AsyncHTTPClient
import NIOCore
import NIOHTTP1

extension S3Store {
    /// Asks a MinIO server whether it runs (`/minio/health/live`), without a signature and once.
    ///
    /// - Returns: Whether it says so; `false` too for servers that are not MinIO.
    /// - Throws: code `unreachable` or `timedOut` where there is no answer.
    public func isLive() async throws(ObjectStoreError) -> Bool {
        let endpoint = configuration.endpoint ?? S3Address.amazon(region: configuration.region ?? "us-east-1")
        let url = "\(endpoint.isSecure ? "https" : "http")://\(endpoint.authority)/minio/health/live"
        do throws(S3Failure) {
            let place = "Asking \(endpoint) for its health"
            return try await client.execute(HTTPClientRequest(url: url), place).status == .ok
        } catch {
            throw error.error
        }
    }
}
