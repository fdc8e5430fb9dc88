import Testing

@testable import LTX

@Suite(.enabled(if: Fixtures.areThere, Comment(rawValue: Fixtures.missing)))
struct CorruptFixtureTests {
    @Test(
        "A damaged file is refused with its name and what is wrong with it",
        arguments: [
            ("truncated", 5, .truncated, "ends inside the frame of page 1"),
            ("truncated-at-frame", 5, .truncated, "ends inside its page frames"),
            ("truncated-after-pages", 5, .truncated, "ends inside its page index"),
            (
                "flipped-page", 3, .checksumMismatch,
                "its checksum is d01f0c6a8af36f45, its content gives f1b83fec3cb6b525"
            ),
            ("flipped-index", 3, .invalidIndex, "says that the frame of page"),
            ("flipped-checksum", 3, .checksumMismatch, "its content gives d01f0c6a8af36f45"),
        ] as [(String, UInt64, LTXError.Code, String)]
    )
    func refused(_ name: String, _ number: UInt64, _ code: LTXError.Code, _ fact: String) throws {
        let replica = "corrupt/\(name)"
        for id in 1...5 {
            let source = try Fixtures.source(Fixtures.path(replica, level: 0, UInt64(id), UInt64(id)))
            guard id == number else {
                _ = try LTXVerifier(source).verify()
                continue
            }
            let error = try #require(throws: LTXError.self) { try LTXVerifier(source).verify() }
            #expect(error.code == code)
            #expect(error.message.contains(fact) && error.message.contains(source.name), "\(error)")
        }
        let inputs = try (1...5).map { try Fixtures.source(Fixtures.path(replica, level: 0, $0, $0)) }
        let error = #expect(throws: LTXError.self) { try TestFile.merge(inputs) }
        #expect(error?.code == code && error?.message.contains(inputs[Int(number) - 1].name) == true)
    }

    @Test("Files that do not continue one another are not merged", arguments: ["missing-middle", "missing-first"])
    func missing(_ name: String) throws {
        let inputs = try Fixtures.files(below: "corrupt/\(name)").map(Fixtures.source)
        #expect(inputs.count == 4)
        if name == "missing-middle" {
            let error = #expect(throws: LTXError.self) { try TestFile.merge(inputs) }
            #expect(error?.code == .noncontiguousInputs)
            #expect(error?.message.contains("0000000000000004-0000000000000004.ltx") == true)
        } else {
            // They do continue one another, but the result is no snapshot.
            #expect(try !TestFile.merge(inputs).summary.header.isSnapshot)
        }
    }

    static let small = [
        Fixtures.path("tiny", level: 0, 1, 1), Fixtures.path("tiny", level: 0, 2, 2),
        Fixtures.path("lz4-frames", level: 0, 2, 2),
    ]

    @Test("Every single flipped bit is refused, or decodes to exactly the same pages", arguments: small)
    func flips(path: String) throws {
        let bytes = try Fixtures.bytes(path)
        let (header, pages) = (Array(bytes[..<100]), try TestFile.pages(bytes))
        var accepted = 0
        for bit in 0..<(bytes.count * 8) {
            var flipped = bytes
            flipped[bit / 8] ^= 1 << (bit % 8)
            guard let found = try? TestFile.pages(flipped) else { continue }
            accepted += 1
            #expect(found == pages && Array(flipped[..<100]) == header, "bit \(bit)")
        }
        print(
            "\(path): of \(bytes.count * 8) flipped bits \(accepted) decode to the same pages, the others are refused"
        )
    }

    @Test("A file cut at any length is refused as cut short", arguments: small)
    func truncations(path: String) throws {
        let bytes = try Fixtures.bytes(path)
        for count in 0..<bytes.count {
            let error = TestFile.refusal(of: Array(bytes[..<count]))
            #expect(error?.code == .truncated, "\(count) bytes: \(error?.message ?? "accepted")")
        }
        #expect(TestFile.refusal(of: bytes) == nil)
    }

    @Test("Bytes after the end are refused", arguments: small)
    func trailing(path: String) throws {
        let bytes = try Fixtures.bytes(path)
        for more in [[0], [UInt8](repeating: 0, count: 300), Array(bytes.suffix(16)), bytes] {
            #expect(TestFile.refusal(of: bytes + more)?.code == .trailingBytes)
        }
    }

    @Test("A file under another name than its header says is refused")
    func otherName() throws {
        let source = try Fixtures.source(Fixtures.path("tiny", level: 0, 2, 2))
        let name = LTXFileName(min: .first, max: .first)
        let error = #expect(throws: LTXError.self) { try LTXVerifier(source).verify(as: name) }
        #expect(error?.code == .invalidHeader)
    }
}
