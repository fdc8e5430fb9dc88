import Replication
import SystemPackage
import TestSupport
import Testing

@Suite struct PositionJournalTests {
    private func state(_ number: UInt64) -> ChainState { ChainState(number: number, checksum: number * 7, epoch: 2) }

    private func journal(_ folder: FilePath) throws -> PositionJournal {
        try PositionJournal(folder.appending("chain"), mode: 0o600)
    }

    @Test("A beginning that is taken back leaves the places as they were, also after a restart")
    func withdrawn() async throws {
        try await withTemporaryFolder { folder in
            let first = try journal(folder)
            try first.record(state(3))
            try first.record(state(4))
            try first.found(at: state(90))
            try first.found(at: state(91))
            #expect(first.isFounding && first.recorded == state(91) && first.older == [state(3), state(4)])
            let again = try journal(folder)
            #expect(again.isFounding && again.recorded == state(91) && again.older == [state(3), state(4)])
            try again.withdrawFounding()
            for journal in [again, try journal(folder)] {
                #expect(!journal.isFounding && journal.recorded == state(4) && journal.older == [state(3)])
            }
            try again.withdrawFounding()
            try again.record(state(5))
            #expect(try journal(folder).older == [state(3), state(4)])
        }
    }

    @Test("A beginning before which nothing was recorded is forgotten; one that was sealed is a place like others")
    func sealed() async throws {
        try await withTemporaryFolder { folder in
            let first = try journal(folder)
            try first.found(at: state(1))
            try first.withdrawFounding()
            #expect(first.recorded == nil && !first.isFounding)
            try first.found(at: state(1))
            try first.record(state(2))
            let again = try journal(folder)
            #expect(!again.isFounding && again.recorded == state(2) && again.older == [state(1)])
        }
    }
}
