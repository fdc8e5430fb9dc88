package import LTX
import SQLiteFormat
package import SystemPackage

/// A database file that nobody has open, and into which pages are written as they are.
///
/// It belongs to one thread at a time; all its methods block. Nothing is durable before ``sync()``.
package final class ClosedDatabase {
    private let path: FilePath
    private let descriptor: FileDescriptor
    /// The size of a page in bytes.
    private let size: PageSize

    /// Opens a file for pages of a size; an empty one is made where there is none.
    ///
    /// - Throws: `FileFailure`; ``ReplicaError`` with code `damaged` for a size that no page has.
    package init(_ path: FilePath, pageSize: Int) throws {
        guard let size = PageSize(byteCount: pageSize) else {
            throw ReplicaError(.damaged, "'\(path)': no database has pages of \(pageSize) bytes.")
        }
        (self.path, self.size) = (path, size)
        do {
            descriptor = try FileDescriptor.open(
                path,
                .readWrite,
                options: [.create, .closeOnExec],
                permissions: [.ownerReadWrite, .groupReadWrite, .otherReadWrite]
            )
        } catch let error as Errno {
            throw FileFailure("opening", path, error.rawValue)
        }
    }

    deinit { try? descriptor.close() }  // synced, or given up

    /// Writes the pages of a transaction file, and makes the database as long as it says.
    ///
    /// - Parameters:
    ///   - source: The file, which is verified on the way; the pages may be written before a fault is found.
    ///   - name: What its name says that it holds.
    /// - Returns: What the file holds.
    /// - Throws: `LTXError`, `FileFailure`; ``ReplicaError`` with code `mismatch` for pages of another size.
    package func apply(_ source: any LTXSource, as name: LTXFileName) throws -> LTXFileSummary {
        let header = try LTXVerifier(source).readHeader()
        guard header.pageSize == size.byteCount else {
            let fact = "has pages of \(header.pageSize) bytes, the database of \(size.byteCount)"
            throw ReplicaError(.mismatch, "'\(source.name)' \(fact).")
        }
        let summary = try LTXVerifier(source).verify(as: name) { number, page, _ in try write(page, as: number) }
        try resize(to: header.commit)
        return summary
    }

    /// Writes the pages of a write-ahead log that ends with a commit, and makes the database as long as that says.
    ///
    /// - Throws: ``ReplicaError`` with code `damaged` where a frame is not whole, or the last one ends no commit.
    package func apply(log: FilePath) throws {
        let damaged = ReplicaError(.damaged, "'\(log)' is no whole write-ahead log of this database.")
        let source: FileSource
        do { source = try FileSource(log, name: log.string) } catch {
            throw ReplicaError.fileSystem("opening", log, error as? Errno ?? .ioError)
        }
        let geometry = WALGeometry(pageSize: size)
        guard source.byteCount >= Int64(WALHeader.byteCount), let last = geometry.lastFrame(endingAt: source.byteCount)
        else { throw damaged }
        var bytes = [UInt8](repeating: 0, count: WALHeader.byteCount)
        unsafe try bytes.withUnsafeMutableBytes { unsafe try source.read(into: $0, at: 0) }
        guard let header = unsafe WALHeader(parsing: bytes.span.bytes), header.pageSize == size, last > 0 else {
            throw damaged
        }
        var (running, commitSize) = (header.checksum, UInt32(0))
        bytes = [UInt8](repeating: 0, count: geometry.frameByteCount)
        for number in 1...last {
            unsafe try bytes.withUnsafeMutableBytes {
                unsafe try source.read(into: $0, at: geometry.offset(ofFrame: number))
            }
            let frame = unsafe bytes.span.bytes
            let frameHeader = WALFrameHeader(parsing: frame)
            let page = frame.extracting(WALFrameHeader.byteCount..<frame.byteCount)
            running.update(with: frame.extracting(0..<8), byteOrder: header.checksumByteOrder)
            running.update(with: page, byteOrder: header.checksumByteOrder)
            guard frameHeader.salts == header.salts, frameHeader.checksum == running, frameHeader.pageNumber > 0 else {
                throw damaged
            }
            try write(page, as: frameHeader.pageNumber)
            commitSize = frameHeader.commitSize
        }
        guard commitSize > 0 else { throw damaged }
        try resize(to: commitSize)
    }

    private func write(_ page: RawSpan, as number: UInt32) throws {
        do {
            // SAFETY: the page is only read, during the call.
            _ = unsafe try page.withUnsafeBytes {
                unsafe try descriptor.writeAll(toAbsoluteOffset: Int64(number - 1) * Int64(size.byteCount), $0)
            }
        } catch let error as Errno {
            throw FileFailure("writing", path, error.rawValue)
        }
    }

    /// Makes the database `pageCount` pages long.
    private func resize(to pageCount: UInt32) throws {
        do { try descriptor.resize(to: Int64(pageCount) * Int64(size.byteCount)) } catch let error as Errno {
            throw FileFailure("writing", path, error.rawValue)
        }
    }

    /// The checksum of all pages, as `DatabaseChecksum` defines it.
    package func checksum() throws -> UInt64 {
        var (checksum, number): (UInt64, UInt32) = (DatabaseChecksum.empty, 1)
        var block = [UInt8](repeating: 0, count: max(1 << 20, size.byteCount))
        while true {
            let count = try read(at: Int64(number - 1) * Int64(size.byteCount), into: &block)
            for start in stride(from: 0, to: count - count % size.byteCount, by: size.byteCount) {
                if number != size.lockPage {
                    // SAFETY: the elements are bytes, and as many were just read.
                    let page = unsafe block.span.bytes.extracting(start..<start + size.byteCount)
                    let remainder = CRC64.remainder(of: page)
                    checksum ^= DatabaseChecksum.page(number: number, remainder: remainder, pageSize: size.byteCount)
                }
                number += 1
            }
            guard count == block.count else { return checksum }
        }
    }

    private func read(at offset: Int64, into block: inout [UInt8]) throws -> Int {
        do {
            return unsafe try block.withUnsafeMutableBytes { block in
                var done = 0
                while done < block.count {
                    let rest = unsafe UnsafeMutableRawBufferPointer(rebasing: block[done...])
                    let count = unsafe try descriptor.read(fromAbsoluteOffset: offset + Int64(done), into: rest)
                    guard count > 0 else { break }
                    done += count
                }
                return done
            }
        } catch let error as Errno {
            throw FileFailure("reading", path, error.rawValue)
        }
    }

    /// Makes durable what was written.
    package func sync() throws { try Disk.syncData(descriptor, path) }
}
