/// Why the captured position does not lead to what the write-ahead log holds now.
///
/// The answer is a difference or a whole copy, never a guess.
package struct Discontinuity: Error, Hashable, Sendable, CustomStringConvertible {
    /// The causes, as they are counted and logged.
    package enum Cause: String, Sendable, CaseIterable {
        case noPosition = "no position is recorded"
        case lockLost = "the WAL was restarted although a reader pinned it"
        case wentBack = "the WAL is shorter than what was captured"
        case anotherGeneration = "the WAL is of another generation"
        case framesGone = "captured frames are no longer there"
        case framesChanged = "captured frames have changed"
        case overwritten = "frames were overwritten before they were captured"
        case damagedFrame = "a committed frame is damaged"
        case anotherFile = "the database file is another one"
        case pageMissing = "a page of a growing transaction is missing"
        case storeAhead = "the store is ahead of this database"
        case foreignHistory = "the replica holds another history"
        case spoolFull = "the spool was full"
        case localFilesLost = "local transaction files are missing"
        case reader = "a read transaction was lost"
        case diskFull = "captured pages could not be kept on the disk"
        case rebooted = "the machine was restarted"
    }

    package let cause: Cause
    package let detail: String

    package init(_ cause: Cause, _ detail: String = "") { (self.cause, self.detail) = (cause, detail) }

    package var description: String { detail.isEmpty ? cause.rawValue : "\(cause.rawValue): \(detail)" }
}
