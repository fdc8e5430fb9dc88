import Synchronization
import Testing

@testable import Cluster

@Suite("Programs that a hand-over ends first", .timeLimit(.minutes(1)))
struct GuardedProgramsTests {
    @Test("All are told once; the wait ends when the last one has left")
    func leave() async {
        let programs = GuardedPrograms()
        let told = Mutex<[Int]>([])
        let entries = Mutex<[GuardedPrograms.Entry]>([])
        for number in 0..<3 {
            let entry = programs.enter(stop: { told.withLock { $0.append(number) } }, feed: {})
            entries.withLock { $0.append(entry) }
        }
        async let hasEnded: Void = programs.end(within: .seconds(600))
        while told.withLock({ $0.count < 3 }) { await Task.yield() }
        for entry in entries.withLock(\.self) { programs.leave(entry) }
        await hasEnded
        #expect(told.withLock { $0.sorted() } == [0, 1, 2])
    }

    @Test("One that does not end is waited for as long as is said, and one that comes meanwhile is ended as well")
    func late() async {
        let programs = GuardedPrograms()
        let told = Mutex(0)
        let later = { @Sendable () in _ = programs.enter(stop: { told.withLock { $0 += 1 } }, feed: {}) }
        _ = programs.enter(stop: later, feed: {})
        await programs.end(within: .milliseconds(20))
        #expect(told.withLock(\.self) == 1)
        // What runs once a hand-over was called off may stay.
        later()
        #expect(told.withLock(\.self) == 1)
    }

    @Test("Deadlines that have passed are told to those who were told later ones")
    func passed() {
        let (gate, ttl) = (WriteGateControl(), Duration.seconds(6))
        #expect(gate.deadlines(ttl: ttl) == nil && gate.lastDeadlines(ttl: ttl) == nil)
        gate.set(WriteGate(openUntil: NodeClock.now + .seconds(3600)))
        #expect(gate.deadlines(ttl: ttl)?.until == gate.lastDeadlines(ttl: ttl)?.until && gate.isOpen)
        let past = NodeClock.now
        gate.narrow(to: WriteGate(openUntil: past))
        #expect(gate.deadlines(ttl: ttl) == nil && !gate.isOpen)
        #expect(gate.lastDeadlines(ttl: ttl)?.until == past)
        #expect(gate.lastDeadlines(ttl: ttl)?.lockedBy == past + .seconds(1))
        gate.narrow(to: WriteGate(openUntil: NodeClock.now + .seconds(10)))
        #expect(gate.lastDeadlines(ttl: ttl)?.until == past, "it is not opened by that")
    }
}
