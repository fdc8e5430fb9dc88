import NIOCore
import ObjectStorage
import SystemPackage
import TestSupport
import Testing

extension ObjectStore {
    /// Stores a text, unconditionally.
    @discardableResult
    func put(_ key: String, _ text: String) async throws -> ObjectVersion? {
        try await put(key, .bytes(ByteBuffer(string: text)), metadata: ObjectMetadata(), condition: .none)
    }

    /// Stores a text on a condition.
    @discardableResult
    func put(_ key: String, _ text: String, if condition: PutCondition) async throws -> ObjectVersion? {
        try await put(key, .bytes(ByteBuffer(string: text)), metadata: ObjectMetadata(), condition: condition)
    }

    /// Reads a whole object as text.
    func text(_ key: String) async throws -> String { String(buffer: try await get(key, range: nil)) }

    /// The keys of a listing.
    func keys(_ prefix: String) async throws -> [String] { try await list(prefix: prefix).map(\.key) }
}

/// Expects an error with a code, whose message names some words.
func expectError(
    _ code: ObjectStoreError.Code,
    naming words: [String] = [],
    sourceLocation: SourceLocation = #_sourceLocation,
    _ body: () async throws -> Void
) async {
    let error: ObjectStoreError
    do {
        try await body()
        Issue.record("No error was thrown.", sourceLocation: sourceLocation)
        return
    } catch let thrown as ObjectStoreError {
        error = thrown
    } catch {
        Issue.record(error, sourceLocation: sourceLocation)
        return
    }
    #expect(error.code == code, "\(error)", sourceLocation: sourceLocation)
    for word in words {
        #expect(error.message.contains(word), "'\(word)' in: \(error.message)", sourceLocation: sourceLocation)
    }
}

/// Bytes that differ at every offset, in pieces of any size.
func pattern(_ count: Int, seed: UInt64 = 1) -> ByteBuffer {
    var generator = SeededGenerator(seed: seed)
    var bytes = ByteBuffer()
    bytes.reserveCapacity(count + 8)
    while bytes.readableBytes < count { bytes.writeInteger(generator.next()) }
    return bytes.getSlice(at: bytes.readerIndex, length: count) ?? ByteBuffer()
}

/// Writes bytes to a new file.
func write(_ bytes: ByteBuffer, to path: FilePath) throws {
    let file = try SystemPackage.FileDescriptor.open(
        path,
        .writeOnly,
        options: [.create, .truncate],
        permissions: [.ownerReadWrite]
    )
    _ = try file.closeAfter { try file.writeAll(bytes.readableBytesView) }
}

/// Reads a whole file.
func contents(of path: FilePath) throws -> ByteBuffer {
    let size = Int(try path.stat().size)
    var bytes = ByteBufferAllocator().buffer(capacity: size)
    let file = try SystemPackage.FileDescriptor.open(path, .readOnly)
    try file.closeAfter {
        while bytes.readableBytes < size {
            let count = try bytes.writeWithUnsafeMutableBytes(minimumWritableBytes: 1 << 16) { try file.read(into: $0) }
            if count == 0 { break }
        }
    }
    return bytes
}
