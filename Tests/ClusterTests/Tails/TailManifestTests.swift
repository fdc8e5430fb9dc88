import ObjectStorage
import Testing

@testable import Cluster

@Suite struct TailManifestTests {
    static let sample = TailManifest(
        id: TailID(epoch: Epoch(rawValue: 5), transaction: 0x2a),
        node: .one,
        nodeName: "one",
        fork: ChainPoint(number: 0x2a, checksum: 7),
        base: ChainPoint(number: 0x2a, checksum: 7),
        state: .init(checksum: 9, pageSize: 4096, pageCount: 12),
        kept: Timestamp(text: "2026-02-03T04:05:06Z") ?? .now,
        firstTransaction: Timestamp(text: "2026-02-03T04:05:01.250Z"),
        lastTransaction: nil,
        transactionCount: 2,
        pageCount: 6,
        tables: TouchedTables(
            tables: [.init(name: "us\"ers", pageCount: 3, indexPageCount: 1)],
            otherPageCount: 2,
            problem: "why"
        ),
        files: [
            .init(name: "000000000000002b-000000000000002b.ltx", byteCount: 200, checksum: 1),
            .init(name: "000000000000002c-000000000000002c.ltx", byteCount: 100, checksum: .max, damage: "torn"),
            .init(name: "db", byteCount: 49_152, checksum: 3),
        ],
        acknowledged: nil
    )

    @Test("A manifest is read back as it was written, with what a later version has put into it")
    func roundTrip() throws {
        var manifest = Self.sample
        #expect(try TailManifest(parsing: manifest.encoded) == manifest)
        manifest.acknowledged = .init(at: Timestamp(rawValue: 1_800_000_000_123), by: "Ada — ops")
        (manifest.fork, manifest.transactionCount, manifest.pageCount) = (nil, nil, nil)
        (manifest.firstTransaction, manifest.tables.problem) = (nil, nil)
        #expect(try TailManifest(parsing: manifest.encoded) == manifest)
        var text = String(decoding: manifest.encoded, as: UTF8.self)
        text.removeLast()
        text += #","why":{"a":[1,null]}}"#
        let later = try TailManifest(parsing: text.utf8)
        #expect(later != manifest && later.other.count == 1)
        #expect(try TailManifest(parsing: later.encoded) == later)
    }

    @Test("What is no manifest, or would lead out of its folder, is told from one")
    func bad() {
        let good = String(decoding: Self.sample.encoded, as: UTF8.self)
        let bad: [(String, String)] = [
            ("", "is not JSON"), ("[]", "is not JSON"), ("{}", "lacks 'format'"),
            (good.replacing(#""format":1"#, with: #""format":3"#), "does not know"),
            (good.replacing("0000000000000005-000000000000002a", with: "5-42"), "'id'"),
            (good.replacing("0000000000000005-000000000000002a", with: "../../x"), "'id'"),
            (good.replacing(#""epoch":5"#, with: #""epoch":6"#), "'epoch'"),
            (good.replacing(#""name":"db""#, with: #""name":"../db""#), "'name'"),
            (good.replacing(#""name":"db""#, with: #""name":"manifest.json""#), "'name'"),
            (good.replacing(#""name":"db""#, with: #""name":"000000000000002b-000000000000002b.ltx""#), "'files'"),
            (good.replacing("49152", with: "-1"), "'byteCount'"),
            (good.replacing("49152", with: "1e300"), "'byteCount'"),
            (good.replacing(#""pageSize":4096"#, with: #""pageSize":4097"#), "'state'"),
            (good.replacing(#""pageCount":12"#, with: #""pageCount":4294967296"#), "'state'"),
            (good.replacing("2026-02-03T04:05:06Z", with: "yesterday"), "'kept'"),
            (good.replacing(#""files":["#, with: #""files":[1,"#), "'files'"),
            (good.replacing(#""acknowledged":null"#, with: #""acknowledged":true"#), "'acknowledged'"),
            (good.replacing(#""acknowledged":null"#, with: #""acknowledged":{"by":"x"}"#), "'at'"),
            (String(repeating: " ", count: TailManifest.byteLimit + 1), "more than"),
        ]
        for (text, words) in bad {
            let error = #expect(throws: ClusterObjectError.self) { try TailManifest(parsing: text.utf8) }
            #expect(error?.message.contains(words) == true, "\(text.prefix(80)): \(error?.message ?? "")")
        }
    }

    @Test("The names of tails have one form each")
    func names() {
        let id = TailID(epoch: Epoch(rawValue: 26), transaction: 255, count: 3)
        #expect(id.description == "000000000000001a-00000000000000ff-3" && TailID(id.description) == id)
        let first = TailID(epoch: Epoch(rawValue: 26), transaction: 255)
        #expect(first.description == "000000000000001a-00000000000000ff" && TailID(first.description) == first)
        let reference = TailReference(node: .two, id: id)
        #expect(TailReference(reference.description) == reference && TailReference("\(id)") == TailReference(id: id))
        for text in [
            "", "-", "1-2", "\(first)-1", "\(first)-0", "\(first)-02", "\(first)-", "\(first)-10000", "\(first).tmp",
            " \(first)", "\(first)/",
        ] {
            #expect(TailID(text) == nil, "'\(text)'")
        }
        for text in ["/\(id)", "x/\(id)", "\(NodeID.one)/\(NodeID.one)/\(id)", "\(NodeID.one)"] {
            #expect(TailReference(text) == nil, "'\(text)'")
        }
    }
}
