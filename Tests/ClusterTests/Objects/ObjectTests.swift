import LTX
import Testing

@testable import Cluster

@Suite struct ObjectTests {
    private func text(_ bytes: [UInt8]) -> String { String(decoding: bytes, as: UTF8.self) }

    @Test("A lease is written with its keys in order, and read back as it was")
    func lease() throws {
        var lease = Lease.sample(counter: 3, head: ChainPoint(number: 26, checksum: 0xabc))
        #expect(try Lease(parsing: lease.encoded) == lease)
        lease.continues = Lease.Continuation(since: 7, through: 25)
        lease.origin = Lease.Origin(epoch: Epoch(rawValue: 3), node: .two, first: 0x1f)
        #expect(try Lease(parsing: lease.encoded) == lease)
        lease.origin?.since = Epoch(rawValue: 2)
        lease.origin?.hasEarlierSeals = true
        #expect(try Lease(parsing: lease.encoded) == lease)
        (lease.continues, lease.origin) = (nil, nil)
        (lease.state, lease.successor) = (.handoff, .two)
        #expect(try Lease(parsing: lease.encoded) == lease)
        var moved = Lease.sample(state: .moved)
        moved.other = ["later": .bool(true)]
        #expect(try Lease(parsing: moved.encoded) == moved)
        let expected =
            #"{"begin":"0000000000000000","cluster":"0000000000000007","counter":3,"#
            + #""eligible":["0000000000000001","0000000000000002"],"epoch":3,"format":1,"#
            + #""head":{"checksum":"0000000000000abc","txid":"000000000000001a"},"name":"one","#
            + #""node":"0000000000000001","nonce":"00000000000000010000000000000003","#
            + #""session":"000000000000000b","state":"handoff","to":"0000000000000002","ttl_ms":6000,"url":""}"#
        #expect(text(lease.encoded) == expected)
    }

    @Test("A lease carries along what a later version has put into it")
    func unknownKeys() throws {
        var written = text(Lease.sample().encoded)
        written.removeLast()
        written += #","prefixes":{"epoch":4,"list":[1,2.5,null,true,"x"]},"authority":"s3://b/p"}"#
        let lease = try Lease(parsing: written.utf8)
        #expect(lease.other.count == 2)
        #expect(try Lease(parsing: lease.encoded) == lease)
        #expect(text(lease.encoded).contains(#""prefixes":{"epoch":4,"list":[1,2.5,null,true,"x"]}"#))
    }

    @Test("What is no lease is told from one, in words")
    func badLeases() {
        let good = text(Lease.sample().encoded)
        let bad: [(String, String)] = [
            ("", "is not JSON"), ("null", "is not JSON"), ("[1]", "is not JSON"), ("{}", "lacks 'format'"),
            (good.replacing(#""format":1"#, with: #""format":2"#), "does not know"),
            (good.replacing(#""epoch":3"#, with: #""epoch":-3"#), "'epoch'"),
            (good.replacing(#""epoch":3"#, with: #""epoch":1e99"#), "'epoch'"),
            (good.replacing("000000000000000b", with: "000000000000000g"), "'session'"),
            (good.replacing("000000000000000b", with: "b"), "'session'"),
            (good.replacing("held", with: "taken"), "'taken'"),
            (good.replacing(#""state":"held""#, with: #""state":"handoff""#), "to whom"),
            (good.replacing("6000", with: "0"), "time to live"),
            (good.replacing("6000", with: "900000000000"), "time to live"),
            (good.replacing(#""head":"#, with: #""tail":"#), "'head'"),
            (good.replacing(#"["0000000000000001","#, with: #"[1,"#), "'eligible'"),
            (good.replacing(#""name":"#, with: #""origin":{"epoch":1},"name":"#), "'node'"),
            (String(repeating: " ", count: 70_000), "more than"),
        ]
        for (text, words) in bad {
            let error = #expect(throws: ClusterObjectError.self) { try Lease(parsing: text.utf8) }
            #expect(error?.message.contains(words) == true, "\(text.prefix(80)): \(error?.message ?? "")")
        }
    }

    @Test("The record of an epoch is read back as it was written")
    func record() throws {
        let record = EpochRecord(
            epoch: Epoch(rawValue: 5),
            session: SessionID(rawValue: 11),
            node: .two,
            parent: ChainPoint(number: 41, checksum: 77),
            parentEpoch: Epoch(rawValue: 3),
            keepFrom: 40,
            first: 42,
            cause: .timeout
        )
        #expect(try EpochRecord(parsing: record.encoded(at: "2026-01-02T03:04:05Z")) == record)
        #expect(record.contested == 40...42)
        #expect(throws: ClusterObjectError.self) { try EpochRecord(parsing: Lease.sample().encoded) }
    }

    @Test(
        "The record of a store is read back as it was written, and carries along what a later version has put into it"
    )
    func storeRecord() throws {
        var record = StoreRecord(cluster: ClusterID(rawValue: 7), host: .two, name: "b", state: .begun)
        let expected =
            #"{"cluster":"0000000000000007","format":1,"host":"0000000000000002","name":"b","state":"begun"}"#
        #expect(text(record.encoded) == expected)
        #expect(try StoreRecord(parsing: record.encoded) == record)
        (record.host, record.state, record.other) = (nil, .beginning, ["new": .integer(4)])
        #expect(try StoreRecord(parsing: record.encoded) == record)
        for (good, bad) in [(#""begun""#, #""over""#), (#""0000000000000002""#, #""b""#), (#""b""#, "3")] {
            let text = expected.replacing(good, with: bad)
            #expect(text != expected)
            #expect(throws: ClusterObjectError.self, "\(text)") { try StoreRecord(parsing: text.utf8) }
        }
        #expect(throws: ClusterObjectError.self) { try StoreRecord(parsing: Lease.sample().encoded) }
    }

    @Test("A cluster's objects lie beside the levels of its replica")
    func layout() {
        let layout = ClusterLayout(path: "/a/b/")
        #expect(layout.lease == "a/b/cluster/lease.json")
        #expect(layout.record(of: Epoch(rawValue: 26)) == "a/b/cluster/epochs/000000000000001a.json")
        #expect(layout.record(of: NodeID.two) == "a/b/cluster/nodes/0000000000000002.json")
        #expect(ClusterLayout(path: "").lease == "cluster/lease.json")
    }

    @Test("Of two epochs with one number, without a witness, each has its record; other topologies keep their names")
    func recordsOfPairedEpochs() {
        let layout = ClusterLayout(path: "a")
        let one = EpochRecord.sample(epoch: 26, first: 8)
        var two = one
        two.node = .two
        #expect(layout.place(of: one, in: .paired) == "a/cluster/epochs/000000000000001a-0000000000000001.json")
        #expect(layout.place(of: two, in: .paired) == "a/cluster/epochs/000000000000001a-0000000000000002.json")
        for topology in [StoreTopology.shared, .crossed] {
            #expect(layout.place(of: two, in: topology) == "a/cluster/epochs/000000000000001a.json")
        }
        #expect(layout.epoch(ofRecordAt: layout.record(of: two.stamp)) == two.stamp)
        #expect(layout.epoch(ofRecordAt: layout.record(of: two.epoch))?.epoch == two.epoch)
        for name in [
            "x.json", "1a-2.json", "000000000000001a-.json", "000000000000001a", "../nodes/0000000000000002.json",
        ] {
            #expect(layout.epoch(ofRecordAt: layout.epochs + name) == nil, "\(name)")
        }
    }
}
