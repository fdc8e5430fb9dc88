import Testing

@testable import SQLiteReplicate

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

@Suite struct GuardStateTests {
    private func running(until: Int64 = 100, lockedBy: Int64 = 125, grace: Int64 = 1_000) -> GuardState {
        var state = GuardState(grace: grace)
        #expect(state.handle(.told(.feed(until: until, lockedBy: lockedBy)), at: 0) == [.start])
        return state
    }

    @Test("N16 SIGTERM when the node stops accepting writes, SIGKILL when the database is locked")
    func notFed() {
        var state = running()
        #expect(state.nextTick(after: 0) == 100)
        #expect(state.handle(.tick, at: 99).isEmpty)
        let effects = state.handle(.tick, at: 100)
        #expect(effects.last == .signal(SIGTERM) && effects.count == 2)
        #expect(state.nextTick(after: 100) == 125)
        #expect(state.handle(.tick, at: 124).isEmpty)
        #expect(state.handle(.tick, at: 125) == [.signal(SIGKILL)])
        #expect(state.handle(.awaited(code: 137, othersRun: false), at: 126) == [.end(137)])
        #expect(state.nextTick(after: 200) == nil)
    }

    @Test("A host that slept past both moments kills at once")
    func slept() {
        var state = running()
        let effects = state.handle(.tick, at: 500)
        #expect(Array(effects.suffix(2)) == [.signal(SIGTERM), .signal(SIGKILL)])
        // What does not go is killed again.
        let again = state.nextTick(after: 500)
        #expect(again.map { $0 > 500 } == true)
        #expect(state.handle(.tick, at: 600) == [.signal(SIGKILL)])
    }

    @Test("Feeding moves both moments; one in the past ends the program")
    func feeding() {
        var state = running()
        #expect(state.handle(.told(.feed(until: 200, lockedBy: 225)), at: 90).isEmpty)
        #expect(state.handle(.tick, at: 150).isEmpty && state.nextTick(after: 150) == 200)
        #expect(state.handle(.told(.feed(until: 120, lockedBy: 240)), at: 150).last == .signal(SIGTERM))
        // It was told to end: fed again it may take its time, within its grace.
        #expect(state.handle(.told(.feed(until: 400, lockedBy: 5_000)), at: 160).isEmpty)
        #expect(state.nextTick(after: 160) == 1_150)
        #expect(state.handle(.tick, at: 1_149).isEmpty)
        #expect(state.handle(.tick, at: 1_150) == [.signal(SIGKILL)])
    }

    @Test("N16 When the node dies the program is told at once, and killed after its grace or when its time is over")
    func nodeLost() {
        for (grace, limit) in [(10, 60), (1_000, 125)] as [(Int64, Int64)] {
            var state = running(grace: grace)
            #expect(state.handle(.nodeLost, at: 50).last == .signal(SIGTERM))
            #expect(state.nextTick(after: 50) == limit)
            #expect(state.handle(.tick, at: limit - 1).isEmpty)
            #expect(state.handle(.tick, at: limit) == [.signal(SIGKILL)])
        }
    }

    @Test("A stop is bounded by its own grace; a second one can only be sooner")
    func stop() {
        var state = running(lockedBy: 9_000)
        #expect(state.handle(.told(.stop(grace: 30)), at: 50) == [.signal(SIGTERM)])
        #expect(state.handle(.told(.stop(grace: 500)), at: 60).isEmpty && state.nextTick(after: 60) == 80)
        #expect(state.handle(.told(.stop(grace: 10)), at: 60).isEmpty && state.nextTick(after: 60) == 70)
        #expect(state.handle(.awaited(code: 0, othersRun: false), at: 65) == [.end(0)])
        #expect(state.handle(.nodeLost, at: 66).isEmpty && state.handle(.tick, at: 99_999).isEmpty)
    }

    @Test("What the program leaves behind ends with it")
    func leftovers() {
        var state = running(until: 5_000, lockedBy: 6_000)
        #expect(state.handle(.awaited(code: nil, othersRun: true), at: 10).isEmpty)
        #expect(state.handle(.awaited(code: 5, othersRun: true), at: 20) == [.signal(SIGTERM)])
        #expect(state.handle(.tick, at: 1_019).isEmpty && state.nextTick(after: 30) == 1_020)
        #expect(state.handle(.tick, at: 1_020) == [.signal(SIGKILL)])
        #expect(state.handle(.awaited(code: nil, othersRun: true), at: 1_021).isEmpty)
        #expect(state.handle(.awaited(code: nil, othersRun: false), at: 1_022) == [.end(5)])
    }

    @Test("Before the first food nothing is started")
    func waiting() {
        var state = GuardState(grace: 10)
        #expect(state.nextTick(after: 0) == nil)
        #expect(state.handle(.told(.feed(until: 5, lockedBy: 6)), at: 7).isEmpty)
        #expect(state.handle(.tick, at: 8).isEmpty)
        for (event, code) in [
            (.nodeLost, 128 + SIGTERM), (.told(.stop(grace: 1)), 128 + SIGTERM), (.signalled(SIGINT), 128 + SIGINT),
        ] as [(GuardState.Event, Int32)] {
            var other = state
            #expect(other.handle(event, at: 9) == [.end(code)])
        }
        #expect(state.handle(.told(.feed(until: 50, lockedBy: 60)), at: 9) == [.start])
        #expect(state.handle(.signalled(SIGHUP), at: 10) == [.signal(SIGHUP)])
    }

    @Test("Messages are lines; anything else is not from a node")
    func messages() {
        var reader = GuardMessageReader()
        let text = GuardMessage.feed(until: 12, lockedBy: .max).line + GuardMessage.stop(grace: 7).line
        var messages: [GuardMessage] = []
        for byte in text.utf8 { messages += reader.take([byte]) ?? [] }
        #expect(messages == [.feed(until: 12, lockedBy: .max), .stop(grace: 7)])
        for bad in ["feed 1", "feed 1 2 3", "feed x 2", "feed -1 2", "feed 99999999999999999999 2", "", "stop", "go 1"]
        {
            var reader = GuardMessageReader()
            #expect(reader.take("\(bad)\n".utf8) == nil, "'\(bad)'")
        }
        var long = GuardMessageReader()
        #expect(long.take([UInt8](repeating: 49, count: 5_000)) == nil)
    }
}
