import LTX
import NIOPosix
import ObjectStorage
import SystemPackage

#if canImport(Darwin)
    import Darwin
#elseif canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// Whole copies with which a history goes on, and whose snapshots are not there yet (failover-review G3).
extension Restorer {
    /// So many files behind gaps are looked into, from the newest on.
    private static let lookLimit = 4

    /// Looks whether something seems to be missing only because a whole copy lies behind a gap.
    ///
    /// - Returns: The listing with such copies marked; `nil` where there are none.
    func findingCopies(in listing: ReplicaListing) async throws(ReplicaError) -> ReplicaListing? {
        let files = listing[0]
        let starts = files.indices.filter { index in
            files[index].min.rawValue > 1 && (index == 0 || files[index].min != files[index - 1].max.next)
        }
        var found: ReplicaListing?
        for index in starts.suffix(Self.lookLimit).reversed() {
            guard try await holdsEveryPage(files[index]) else { continue }
            var copy = files[index]
            copy.beginsAnew = true
            var more = found ?? listing
            more.insert(copy)
            found = more
        }
        return found
    }

    /// Where a page index that is too long for memory lies for a moment, without a name.
    private static var temporaryFolder: FilePath {
        // SAFETY: the text is copied at once.
        unsafe getenv("TMPDIR").map { unsafe FilePath(platformString: $0) } ?? "/tmp"
    }

    private func holdsEveryPage(_ file: ReplicaFile) async throws(ReplicaError) -> Bool {
        do {
            let scratch = Self.temporaryFolder.appending("sqlite-replicate-index")
            let opened = try await FileOpener(replica: replica, pool: .singleton, scratch: scratch).open(file)
            return try await onDisk {
                var cursor = LTXIndexCursor(opened.index, of: opened.indexSource, header: opened.header)
                var count = 0
                while try cursor.next() != nil { count += 1 }
                return count == opened.header.wholePageCount
            }
        } catch let error as ReplicaError {
            // One that cannot be read is none to begin with; what is wrong with it is said when it is needed.
            guard error.code == .damaged || error.code == .changing else { throw error }
            return false
        } catch is CancellationError {
            throw ReplicaError(.cancelled, "Looking for whole copies was cancelled.")
        } catch {
            throw ReplicaError(.storage, "\(file.key) cannot be looked into.", cause: error)
        }
    }
}
