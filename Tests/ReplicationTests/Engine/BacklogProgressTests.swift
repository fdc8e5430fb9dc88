import Testing

@testable import Replication

@Suite("Health of a backlog") struct BacklogProgressTests {
    private let start = ContinuousClock.now

    @Test("R-42 A backlog that moves is healthy, however long it is; one that stands still for a minute is not")
    func moving() {
        var progress = BacklogProgress(at: start)
        for transaction in 1...100 as ClosedRange<UInt64> { progress.closed(transaction, at: start) }
        var now = start
        for transaction in 1...20 as ClosedRange<UInt64> {
            now = now + .seconds(50)
            #expect(progress.moves(at: now))
            progress.shipped(transaction, at: now)
        }
        #expect(progress.moves(at: now + .seconds(59)))
        progress.closed(101, at: now + .seconds(59))
        #expect(!progress.moves(at: now + .seconds(61)))
        progress.shipped(21, at: now + .seconds(62))
        #expect(progress.moves(at: now + .seconds(63)))
    }

    @Test("R-42 The first commit after hours is no standstill before it has waited for a minute")
    func idle() {
        var progress = BacklogProgress(at: start)
        progress.closed(1, at: start)
        progress.shipped(1, at: start)
        let later = start + .seconds(7200)
        progress.closed(2, at: later)
        #expect(progress.moves(at: later + .seconds(1)))
        #expect(!progress.moves(at: later + .seconds(61)))
        progress.shipped(2, at: later + .seconds(61))
        #expect(progress.moves(at: later + .seconds(61)))
    }
}
