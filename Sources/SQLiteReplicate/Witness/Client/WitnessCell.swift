public import Cluster
import NIOCore
import NIOHTTP1
public import ObjectStorage

/// A cell of a witness.
///
/// A lost answer to a ``put(_:replacing:)`` is `outcomeUnknown`: the bytes may be there, now or later.
public struct WitnessCell: LeaseCell {
    /// The cluster whose cell it is.
    public let cluster: ClusterID
    private let client: WitnessClient

    init(_ cluster: ClusterID, client: WitnessClient) { (self.cluster, self.client) = (cluster, client) }

    public var description: String { "the cell \(cluster) of the witness \(client.url)" }

    private var path: String { "/v1/cells/\(cluster)" }

    public func read() async throws(ObjectStoreError) -> (bytes: [UInt8], version: LeaseVersion?) {
        let answer = try await client.exchange(.GET, path)
        switch answer.status {
        case 200: return ([UInt8](buffer: answer.body), version(answer))
        // Any server has a 404, and "nothing is there" is a thing to act on: only the witness's own counts.
        case 404 where (try? MessageReader(answer.body))?.isString("absent", cluster.description) ?? false:
            throw ObjectStoreError(.notFound, "Nothing was ever put into \(self).")
        default: throw client.refusal(answer, isWrite: false)
        }
    }

    public func put(_ bytes: [UInt8], replacing version: LeaseVersion?) async throws(ObjectStoreError) -> LeaseVersion?
    {
        let condition = version.map { (name: "if-match", value: $0.rawValue) } ?? (name: "if-none-match", value: "*")
        let answer = try await client.exchange(.PUT, path, write: (condition, bytes))
        switch answer.status {
        case 200:
            // Something between that answers by itself must not make a claim count.
            let revision = (try? MessageReader(answer.body)).flatMap { try? $0.string("revision") }
            guard let version = self.version(answer), let revision, version.rawValue.hasSuffix("\"\(revision)\"") else {
                throw ObjectStoreError(
                    .outcomeUnknown,
                    "What answered for \(self) is no witness: look at what lies between this node and it."
                )
            }
            return version
        case 412: throw ObjectStoreError(.conditionFailed, "Something else is in \(self) than was expected.")
        default: throw client.refusal(answer, isWrite: true)
        }
    }

    private func version(_ answer: HTTPAnswer) -> LeaseVersion? {
        answer.headers.first(name: "etag").map { LeaseVersion(rawValue: $0) }
    }
}

extension MessageReader {
    fileprivate func isString(_ key: String, _ value: String) -> Bool { (try? string(key)) == value }
}
