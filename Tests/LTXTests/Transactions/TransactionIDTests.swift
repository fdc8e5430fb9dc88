import LTX
import Testing

@Suite struct TransactionIDTests {
    @Test("The text form has 16 lower case digits, and both cases are read", arguments: [1, 26, 0xabc, UInt64.max])
    func text(_ number: UInt64) throws {
        let id = TransactionID(rawValue: number)
        #expect(id.description.utf8.count == 16)
        #expect(id.description == id.description.lowercased())
        #expect(TransactionID(id.description) == id)
        #expect(TransactionID(id.description.uppercased()) == id)
    }

    @Test(
        "Text that is no transaction ID is refused",
        arguments: [
            "", "1", "0000000000000000", "000000000000001", "00000000000000001", "+000000000000001",
            "0x00000000000001", "000000000000000g", " 00000000000001 ", "０００００００００００００００１",
        ]
    )
    func badText(_ text: String) { #expect(TransactionID(text) == nil) }

    @Test("IDs count up, and the highest one does not trap")
    func next() {
        #expect(TransactionID.first.rawValue == 1)
        #expect(TransactionID.first.next == TransactionID(rawValue: 2))
        #expect(TransactionID(rawValue: .max).next == TransactionID(rawValue: .max))
        #expect(TransactionID.first < TransactionID.first.next)
        #expect(TransactionID(exactly: 0) == nil)
    }
}

@Suite struct LTXFileNameTests {
    @Test("A file name is its range of transactions")
    func name() throws {
        let name = try #require(LTXFileName("000000000000000a-00000000000000ff.ltx"))
        #expect(name.min.rawValue == 10 && name.max.rawValue == 255 && !name.isSnapshot)
        #expect(name.description == "000000000000000a-00000000000000ff.ltx")
    }

    @Test(
        "Other names are not those of transaction files",
        arguments: [
            "000000000000000A-00000000000000ff.ltx", "000000000000000a-00000000000000ff.ltx.tmp",
            "000000000000000a-00000000000000ff.LTX", "000000000000000a_00000000000000ff.ltx", "",
            "0000000000000000-0000000000000001.ltx", "0000000000000002-0000000000000001.ltx",
            "a-ff.ltx", "000000000000000a-00000000000000f\u{1}.ltx", "0/000000000000000a-00000000000000ff.ltx",
        ]
    )
    func badName(_ text: String) { #expect(LTXFileName(text) == nil) }

    @Test("Names sort as their texts do")
    func order() {
        let names = [(2, 3), (1, 9), (1, 2), (300, 301)].map {
            LTXFileName(min: TransactionID(rawValue: $0), max: TransactionID(rawValue: $1))
        }
        #expect(names.sorted().map(\.description) == names.map(\.description).sorted())
    }
}
