import LTX
import Synchronization

/// The database checksum after each file of a chain, computed in any order of pages.
///
/// A version of a page is there from the file that brought it up to the file that replaced it or cut it off. It
/// contributes to all checksums in between, so two entries in a list of differences are enough for it.
final class StateChecksums: Sendable {
    private let differences: Mutex<[UInt64]>

    init(fileCount: Int) { differences = Mutex(Array(repeating: 0, count: fileCount + 1)) }

    /// Adds versions of pages that one file brought.
    ///
    /// - Parameters:
    ///   - checksums: The checksums of the pages.
    ///   - ends: For each, the first file after which it is no longer there.
    ///   - file: The file that brought them.
    func add(_ checksums: [UInt64], ends: some Sequence<Int>, from file: Int) {
        differences.withLock { differences in
            for (checksum, end) in zip(checksums, ends) {
                differences[file] ^= checksum
                differences[end] ^= checksum
            }
        }
    }

    /// The checksums after each file, once all pages were added.
    func values() -> [UInt64] {
        differences.withLock { differences in
            var (state, values) = (UInt64(0), [UInt64]())
            for difference in differences.dropLast() {
                state ^= difference
                values.append(state)
            }
            return values
        }
    }
}
