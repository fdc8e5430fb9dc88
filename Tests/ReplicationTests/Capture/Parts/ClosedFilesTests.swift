import LTX
import Testing

@testable import Replication

@Suite("Closed files") struct ClosedFilesTests {
    @Test("What waits is told, and its size when it is shipped; what was never told is not known")
    func waiting() {
        let files = ClosedFiles()
        for number in 3...5 {
            let id = TransactionID(rawValue: UInt64(number))
            let header = LTXHeader(
                pageSize: 512,
                commit: 1,
                minTXID: id,
                maxTXID: id,
                timestampMilliseconds: 0
            )
            files.add(ClosedFile(header: header, trailer: LTXTrailer(fileChecksum: 1), byteCount: Int64(number)))
        }
        let (four, five, six) = (TransactionID(rawValue: 4), TransactionID(rawValue: 5), TransactionID(rawValue: 6))
        #expect(files.hasFiles(after: nil) && files.hasFiles(after: four) && !files.hasFiles(after: five))
        #expect(files.file(four)?.byteCount == 4 && files.file(six) == nil)
        #expect(files.remove(through: six) == nil && files.hasFiles(after: nil))
        #expect(files.remove(through: four) == 7)
        #expect(files.file(four) == nil && files.file(five) != nil)
        files.removeAll()
        #expect(!files.hasFiles(after: nil))
    }
}
