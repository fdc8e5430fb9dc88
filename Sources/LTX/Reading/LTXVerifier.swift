/// Verifies a transaction file from its first byte to its last, in bounded memory.
///
/// Checked are the header, each frame and page, their order and completeness, the page index against the frames, the
/// trailer, the file checksum, that nothing follows, and where the file holds every page, the checksum of the database
/// against the ``SourceMark``.
public struct LTXVerifier: Sendable {
    private let source: any LTXSource
    private let bufferByteCount: Int

    /// Creates a verifier.
    ///
    /// - Parameters:
    ///   - source: The file.
    ///   - bufferByteCount: How much is read at a time, in bytes.
    public init(_ source: any LTXSource, bufferByteCount: Int = 1 << 20) {
        (self.source, self.bufferByteCount) = (source, bufferByteCount)
    }

    /// Verifies the whole file.
    ///
    /// - Parameter name: The name under which the file was found, to be compared with its header; `nil` for any.
    /// - Returns: What the file holds.
    /// - Throws: ``LTXError``; its message names the source.
    public func verify(as name: LTXFileName? = nil) throws(LTXError) -> LTXFileSummary {
        do {
            return try verify(as: name) { _, _, _ in }
        } catch let error as LTXError {
            throw error
        } catch {
            // Not reached: nothing above throws anything else.
            throw LTXError(.stopped, "The verification was stopped.", cause: error).naming(source.name)
        }
    }

    /// Verifies the whole file and hands out its pages on the way.
    ///
    /// Pages are handed out before the file checksum, which stands at the end, could be verified.
    ///
    /// - Parameters:
    ///   - name: The name under which the file was found, to be compared with its header; `nil` for any.
    ///   - body: Called for each page with its number, its content, which is valid during the call only, and its
    ///     linear remainder.
    /// - Returns: What the file holds.
    /// - Throws: ``LTXError`` whose message names the source, and what `body` throws.
    public func verify(
        as name: LTXFileName? = nil,
        _ body: (_ pageNumber: UInt32, _ page: RawSpan, _ remainder: UInt64) throws -> Void
    ) throws -> LTXFileSummary {
        // What `body` throws is not an error of this file, so it goes around the naming.
        var failure: (any Error)?
        do {
            var reader = try FrameReader(source, bufferByteCount: bufferByteCount)
            if let name { try reader.header.check(name) }
            var decoder = FrameDecoder(pageSize: reader.header.pageSize)
            var scratch: [UInt8] = []
            while try reader.nextPageNumber() != nil {
                try reader.decodeNext(with: &decoder, scratch: &scratch) { frame, _, _, page in
                    do {
                        try body(frame.pageNumber, page, frame.remainder)
                    } catch {
                        failure = error
                        throw error
                    }
                }
            }
            return try reader.finish()
        } catch let error as LTXError where failure == nil {
            throw error.naming(source.name)
        } catch {
            throw failure ?? error
        }
    }

    /// Reads the header alone.
    ///
    /// - Throws: ``LTXError``; its message names the source.
    public func readHeader() throws(LTXError) -> LTXHeader {
        do throws(LTXError) {
            return try FrameReader(source, bufferByteCount: 0).header
        } catch { throw error.naming(source.name) }
    }

    /// Reads one page by way of the page index, without verifying the rest of the file.
    ///
    /// - Returns: The page, or `nil` where the file does not hold it.
    /// - Complexity: The index is read up to the page's entry.
    /// - Throws: ``LTXError``; its message names the source.
    public func readPage(_ number: UInt32) throws(LTXError) -> [UInt8]? {
        let header = try readHeader()
        let index: LTXIndex
        do throws(LTXError) { index = try LTXIndex(of: source) } catch { throw error.naming(source.name) }
        var cursor = LTXIndexCursor(index, of: source, header: header)
        while let entry = try cursor.next() {
            guard entry.pageNumber == number else { continue }
            do throws(LTXError) {
                return try page(at: entry, pageSize: header.pageSize)
            } catch { throw error.naming(source.name) }
        }
        return nil
    }

    private func page(at entry: PageIndexEntry, pageSize: Int) throws(LTXError) -> [UInt8] {
        let bytes = try source.bytes(at: entry.offset, byteCount: entry.byteCount)
        var page = [UInt8](repeating: 0, count: pageSize)
        var span = page.mutableSpan
        // SAFETY: the elements are bytes: all of them are initialized, and any are valid.
        var target = unsafe span.mutableBytes
        let decoder = FrameDecoder(pageSize: pageSize)
        let frame = try unsafe decoder.decodeFrame(in: bytes.span.bytes, at: 0, into: &target)
        guard frame.pageNumber == entry.pageNumber, frame.byteCount == entry.byteCount else {
            throw .index("does not lead to the frame of page \(entry.pageNumber)")
        }
        return page
    }
}

extension LTXHeader {
    /// Compares the header with the name of its file.
    func check(_ name: LTXFileName) throws(LTXError) {
        guard name == fileName else {
            throw .header("says that the file holds transactions \(minTXID) to \(maxTXID), its name says \(name)")
        }
    }
}
