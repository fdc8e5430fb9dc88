import Dispatch
import Synchronization

/// A sealed capture that becomes a transaction file on another thread, and gets its number on the engine's.
final class ClosingCapture: Sendable {
    let writing: CaptureWriting
    /// Where the capture ends.
    let position: WALPosition
    private let result = Mutex<Result<WrittenFile, any Error>?>(nil)
    /// What went wrong last, here or with giving the file its name: it is to be written anew.
    private let trouble = Mutex<(any Error)?>(nil)
    private let done = DispatchSemaphore(value: 0)

    init(_ writing: CaptureWriting, position: WALPosition) {
        (self.writing, self.position) = (writing, position)
    }

    /// Writes the file; called once, on the thread aside.
    func run() {
        let written = Result { try writing.run() }
        result.withLock { $0 = written }
        done.signal()
    }

    /// Why there is no file yet, if something has failed; until it is tried again with success.
    var failure: (any Error)? {
        let failure = result.withLock { result in
            guard case .failure(let error) = result else { return nil as (any Error)? }
            return error
        }
        return failure ?? trouble.withLock(\.self)
    }

    /// Notes that the file could not be had, or not be given its name.
    func failed(_ error: any Error) { trouble.withLock { $0 = error } }

    /// Waits for the file and hands it over; where writing has failed, or the file was handed over before, writes it
    /// anew on this thread.
    func takeFile() throws -> WrittenFile {
        wait()
        let taken = result.withLock { result in
            defer { result = nil }
            return result
        }
        guard case .success(let file) = taken else { return try writing.run() }
        return file
    }

    /// Waits for the thread aside, and removes what it has written.
    func discard() {
        wait()
        try? Disk.remove(writing.output)  // else the next start removes it
        removeSpills()
    }

    /// Removes the spill files, once nothing needs them any more.
    func removeSpills() {
        for path in writing.capture.spills {
            try? Disk.remove(path)  // else the next start removes it
        }
    }

    private func wait() {
        done.wait()
        done.signal()
    }
}
