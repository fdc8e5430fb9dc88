import LTX
import Replication
import Testing

@testable import Cluster

@Suite struct ReadAheadTests {
    private let tickets = (1...99).map { Ticket(rawValue: $0) }

    /// A file of one transaction; images of up to `limit` bytes are kept.
    private func file(_ number: UInt64, pages: UInt32 = 1, keeping limit: Int = 1 << 20) throws -> DecodedTransaction {
        var writer = try LTXWriter(pageSize: 4096, sink: MemorySink())
        var register: UInt64 = 1
        let image = (0..<4096).map { _ in
            register = register &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return UInt8(truncatingIfNeeded: register >> 56)  // does not compress
        }
        for page in 1...pages {
            try writer.append(pageNumber: page + 1, page: image.span.bytes)
        }
        let id = TransactionID(rawValue: max(number, 2))  // the first one's file would have to hold all pages
        let header = LTXHeader(
            pageSize: 4096,
            commit: pages + 1,
            minTXID: id,
            maxTXID: id,
            timestampMilliseconds: 1,
            sourceMark: SourceMark(checksum: number, epoch: 1)
        )
        _ = try writer.finish(header: header)
        return try #require(try DecodedTransaction(bytes: writer.sink.bytes, name: "file", keeping: limit))
    }

    /// One that has answered the core with so many files in a row, up to number `count`.
    private func found(_ count: UInt64) throws -> ReadAhead {
        var ahead = ReadAhead()
        for number in 1...count { ahead.noteAnswer(try file(number)) }
        return ahead
    }

    private func isNothing(_ supply: ReadAhead.Supply) -> Bool { if case .nothing = supply { true } else { false } }

    @Test("N4 Nothing is read ahead before a second file in a row was found, then more and more, up to a bound")
    func width() throws {
        var ahead = ReadAhead()
        #expect(ahead.requests(from: 1).isEmpty)
        ahead.noteAnswer(try file(1))
        #expect(ahead.requests(from: 2).isEmpty)
        ahead.noteAnswer(nil)
        ahead.noteAnswer(try file(2))
        #expect(ahead.requests(from: 3).isEmpty)
        ahead.noteAnswer(try file(3))
        #expect(ahead.requests(from: 4).map(\.number) == [4, 5])
        #expect(ahead.requests(from: 4).isEmpty)
        ahead.noteAnswer(try file(4))
        #expect(ahead.requests(from: 5).map(\.number) == [6, 7, 8])
        for number in UInt64(5)...20 { ahead.noteAnswer(try file(number)) }
        #expect(ahead.requests(from: 6).count == ReadAhead.fileLimit - 5)
        #expect(ahead.requests(from: UInt64.max - 1).count <= ReadAhead.fileLimit)
    }

    @Test("N4 A file that was read ahead is passed on; that there was none is not")
    func answers() throws {
        var ahead = try found(2)
        let requests = ahead.requests(from: 3)
        #expect(ahead.arrived(try file(3), requests[0]).ticket == nil)
        #expect(ahead.arrived(nil, requests[1]).ticket == nil)
        guard case .file(let third) = ahead.take(3, for: tickets[0]) else {
            Issue.record("what was read ahead is not there")
            return
        }
        #expect(third.state.number == 3)
        #expect(isNothing(ahead.take(3, for: tickets[1])))
        #expect(isNothing(ahead.take(4, for: tickets[2])))
    }

    @Test("N4 Who asks while the file is on its way is answered when it comes, the last one to ask")
    func waiting() throws {
        var ahead = try found(2)
        let requests = ahead.requests(from: 3)
        for ticket in [tickets[0], tickets[1]] {
            guard case .underWay = ahead.take(3, for: ticket) else {
                Issue.record("it is not under way")
                return
            }
        }
        let arrival = ahead.arrived(nil, requests[0])
        #expect(arrival.ticket == tickets[1] && arrival.unwanted.isEmpty)
        // Whoever has waited asks anew: nothing of it is kept.
        #expect(isNothing(ahead.take(3, for: tickets[2])))
    }

    @Test("What comes after everything was dropped is given back, and counts as under way until then")
    func dropped() throws {
        var ahead = try found(9)
        let requests = ahead.requests(from: 10)
        #expect(requests.count == ReadAhead.fileLimit)
        #expect(ahead.arrived(try file(10), requests[0]).unwanted.isEmpty)
        #expect(ahead.drop().map(\.state.number) == [10])
        for number in UInt64(1)...9 { ahead.noteAnswer(try file(number)) }
        #expect(ahead.requests(from: 10).count == 1)
        #expect(ahead.arrived(try file(11), requests[1]).unwanted.count == 1)
        #expect(ahead.arrived(nil, requests[2]).unwanted.isEmpty)
        #expect(isNothing(ahead.take(11, for: tickets[0])))
        #expect(ahead.requests(from: 11).map(\.number) == [11, 12])
    }

    @Test("Large files are read ahead as far as a number of bytes allows")
    func bytes() throws {
        var ahead = ReadAhead()
        let large = try file(1, pages: 2560, keeping: 0)
        let few = Int(ReadAhead.byteLimit / large.byteCount)
        #expect((1..<ReadAhead.fileLimit).contains(few), "\(large.byteCount)")
        for _ in 0..<9 { ahead.noteAnswer(large) }
        #expect(ahead.expectsLarge)
        #expect(ahead.requests(from: 2).count == few)
        ahead.noteAnswer(nil)
        #expect(!ahead.expectsLarge)
    }

    @Test("N10 Small files that follow each other are taken together; a gap or a large one ends that")
    func following() throws {
        var ahead = try found(9)
        for request in ahead.requests(from: 10) where request.number != 14 {
            let limit = request.number == 16 ? 0 : 1 << 20
            _ = ahead.arrived(try file(request.number, keeping: limit), request)
        }
        let first = try file(9)
        #expect(ahead.takeFollowing(first).map(\.state.number) == [10, 11, 12, 13])
        #expect(ahead.takeFollowing(first).isEmpty)
        #expect(ahead.takeFollowing(try file(14)).map(\.state.number) == [15])
        #expect(ahead.takeFollowing(try file(15)).isEmpty)
        #expect(ahead.drop().map(\.state.number).sorted() == [16, 17])
    }
}
