import AsyncHTTPClient
public import Cluster
import NIOCore
import NIOHTTP1
import NIOSSL
public import ObjectStorage
public import SystemPackage

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

/// Talks to a ``WitnessServer``.
///
/// Each method sends one request and repeats nothing. All clients of a process share their connections.
public struct WitnessClient: Sendable {
    /// Where the witness answers: `https://witness.example.org:3001`.
    public let url: String
    private let token: Secret?
    private let limit: Duration
    private let authorities: FilePath?

    /// Creates a client.
    ///
    /// - Parameters:
    ///   - url: The witness's address, without a slash at its end.
    ///   - token: What the witness wants to see.
    ///   - limit: How long an answer is waited for.
    ///   - certificateAuthorities: A file of certificates in PEM form that are trusted instead of the system's.
    public init(
        url: String,
        token: Secret? = nil,
        within limit: Duration = .seconds(10),
        certificateAuthorities: FilePath? = nil
    ) {
        self.url = url.hasSuffix("/") ? String(url.dropLast()) : url
        (self.token, self.limit, authorities) = (token, limit, certificateAuthorities)
    }

    /// The cell of a cluster.
    public func cell(of cluster: ClusterID) -> WitnessCell { WitnessCell(cluster, client: self) }

    /// What the witness tells of its cells.
    ///
    /// - Throws: `ObjectStoreError`.
    public func list() async throws(ObjectStoreError) -> WitnessDocument {
        let answer = try await exchange(.GET, "/v1/cells")
        guard answer.status == 200 else { throw refusal(answer, isWrite: false) }
        do {
            return try JSONDecoder().decode(WitnessDocument.self, from: Data(answer.body.readableBytesView))
        } catch {
            throw invalid(answer)
        }
    }

    /// Why the witness is not well; `nil` where it is.
    ///
    /// - Throws: `ObjectStoreError` where it does not say.
    public func trouble() async throws(ObjectStoreError) -> String? {
        let answer = try await exchange(.GET, "/health")
        switch answer.status {
        case 200: return nil
        case 503: return answer.words
        default: throw refusal(answer, isWrite: false)
        }
    }

    /// Sends a request and reads the whole answer.
    ///
    /// - Parameters:
    ///   - condition: The header that makes it a write, and the body.
    func exchange(
        _ method: HTTPMethod,
        _ path: String,
        write: (condition: (name: String, value: String), body: [UInt8])? = nil
    ) async throws(ObjectStoreError) -> HTTPAnswer {
        guard Endpoint.isHTTP(url) else {
            throw ObjectStoreError(
                .invalidRequest,
                "'\(url)' is no address of a witness: write it as http://HOST:PORT or https://HOST:PORT."
            )
        }
        var request = HTTPClientRequest(url: url + path)
        request.method = method
        request.headers = ["user-agent": "sqlite-replicate"]
        if let token, BearerToken.isFit(token.exposed) {
            request.headers.add(name: "authorization", value: "Bearer \(token.exposed)")
        }
        if let authorities {
            var tls = TLSConfiguration.makeClientConfiguration()
            tls.trustRoots = .file(authorities.string)
            request.tlsConfiguration = tls
        }
        if let write {
            request.headers.add(name: write.condition.name, value: write.condition.value)
            request.headers.add(name: "content-type", value: "application/octet-stream")
            request.body = .bytes(ByteBuffer(bytes: write.body))
        }
        do {
            return try await HTTPAnswer(to: request, within: limit)
        } catch {
            throw ObjectStoreError(witness: url, error, within: limit, isWrite: write != nil)
        }
    }

    /// What an answer means that is none of those that were hoped for.
    func refusal(_ answer: HTTPAnswer, isWrite: Bool) -> ObjectStoreError {
        switch answer.status {
        case 401:
            ObjectStoreError(
                .accessDenied,
                token == nil
                    ? "The witness \(url) wants a token: give the one that it was started with."
                    : "The witness \(url) does not take the token: it was started with another one."
            )
        case 403: ObjectStoreError(.accessDenied, "The witness \(url) refuses: \(answer.words)")
        // Whatever stands between may have passed the request on before it gave up.
        case 408, 425, 429, 500...599:
            ObjectStoreError(
                isWrite ? .outcomeUnknown : .serverFailure,
                "The witness \(url) does not work (\(answer.status)): \(answer.words)"
            )
        default: invalid(answer)
        }
    }

    private func invalid(_ answer: HTTPAnswer) -> ObjectStoreError {
        ObjectStoreError(
            .invalidAnswer,
            "\(url) answers \(answer.status)\(answer.words.isEmpty ? "" : ": \(answer.words.oneLine)"). See whether that is "
                + "the address of a witness, of the same version."
        )
    }
}
