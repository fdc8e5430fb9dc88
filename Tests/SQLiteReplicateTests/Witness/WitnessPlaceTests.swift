import Cluster
import ObjectStorage
import SQLiteReplicate
import SystemPackage
import TestSupport
import Testing

/// Where a witness may be.
@Suite(.timeLimit(.minutes(2))) struct WitnessPlaceTests {
    @Test("A witness is a URL of HTTP, or a store")
    func urls() throws {
        #expect(
            try WitnessPlace("https://witness.example.org:3001/") == .server(url: "https://witness.example.org:3001")
        )
        #expect(try WitnessPlace("http://10.0.0.9/behind/a/proxy").name == "http://10.0.0.9/behind/a/proxy")
        #expect(try WitnessPlace("s3://bucket/path").name == "s3://bucket/path")
        #expect(try WitnessPlace("file:///var/witness").name == "/var/witness")
    }

    @Test(
        "Anything else is refused in words, and no key in a URL is shown",
        arguments: [
            ("witness:3001", "https://"), ("htps://witness", "near: https"), ("", "https://"),
            ("http://", "https://HOST:PORT"), ("http://user:s3cret@host", "user or password"),
            ("https://host?token=1", "is no address"), ("s3://", "bucket"), ("file://a/b", "three slashes"),
        ]
    )
    func refused(text: String, words: String) {
        let error = #expect(throws: ConfigurationError.self) { try WitnessPlace(text) }
        #expect(error?.message.contains(words) == true, "\(error as Any)")
        #expect(error?.message.contains("user:s3cret") != true)
    }

    @Test("A store that honours conditions is a witness as well, each cluster's lease beside the others")
    func folder() async throws {
        try await withTemporaryFolder { folder in
            let place = try WitnessPlace("file://\(folder.appending("witness"))")
            for number in 1...3 as ClosedRange<UInt64> {
                let cell = try place.cell(of: ClusterID(rawValue: number), ttl: .seconds(6), logger: .silent)
                let lease = LeaseStore(cell)
                #expect(await lease.read().reading == .absent)
                guard
                    case .swapped(let version) = await lease.swap(.watched(counter: 1, nonce: number), condition: nil)
                        .answer
                else {
                    Issue.record("the lease could not be created")
                    return
                }
                #expect(await lease.read().reading == .body(.watched(counter: 1, nonce: number), version))
            }
            let report = try await Commands.witnessStatus(of: place, logger: .silent)
            #expect(report.trouble == nil && report.cells.map(\.name) == (1...3).map { "000000000000000\($0)" })
        }
    }
}
