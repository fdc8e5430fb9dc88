import Testing

@testable import Cluster

@Suite struct JoinVerdictTests {
    private func mark(_ number: UInt64, _ checksum: UInt64) -> FileMark {
        FileMark(
            point: ChainPoint(number: number, checksum: checksum),
            node: .two,
            epoch: Epoch(rawValue: 2),
            fileChecksum: number
        )
    }

    @Test("N9 Where a database stands follows from its checksum")
    func places() {
        let recorded = ChainPoint(number: 9, checksum: 99)
        let older = [ChainPoint(number: 7, checksum: 77), ChainPoint(number: 8, checksum: 88)]
        let ahead = [mark(10, 100), mark(11, 110)]
        func verdict(_ checksum: UInt64) -> JoinVerdict {
            let finding = DatabaseFinding(
                checksum: checksum,
                recorded: recorded,
                intended: ChainPoint(number: 12, checksum: 120),
                older: older,
                ahead: ahead
            )
            return .decide(finding, leftOut: [])
        }
        #expect(verdict(99) == .stands(at: recorded, ahead: []))
        // After a power cut the database is behind: the authority wins.
        #expect(verdict(77) == .stands(at: older[0], ahead: []))
        #expect(verdict(110) == .stands(at: recorded, ahead: ahead))
        #expect(verdict(100) == .stands(at: recorded, ahead: [ahead[0]]))
        // It died between applying a file and writing that down.
        #expect(verdict(120) == .stands(at: ChainPoint(number: 12, checksum: 120), ahead: []))
        #expect(verdict(5) == .unknown)
    }
}
