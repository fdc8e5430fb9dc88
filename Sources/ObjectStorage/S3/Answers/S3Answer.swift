import NIOCore
import NIOFoundationCompat
import NIOHTTP1
import XMLCoder

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

/// The head of an answer.
struct S3AnswerHead: Sendable {
    var status: Int
    var headers: HTTPHeaders

    /// The object's version, quotes included.
    var version: ObjectVersion? {
        headers.first(name: "etag").flatMap { $0.isEmpty ? nil : ObjectVersion(rawValue: $0) }
    }

    /// The first and the last byte that follow and the object's size, of `Content-Range: bytes FIRST-LAST/SIZE`.
    var contentRange: (range: Range<Int64>, byteCount: Int64)? {
        guard let text = headers.first(name: "content-range"), text.hasPrefix("bytes "),
            case let parts = text.dropFirst(6).split(separator: "/"), parts.count == 2, let size = Int64(parts[1]),
            case let ends = parts[0].split(separator: "-"), ends.count == 2,
            let first = Int64(ends[0]), let last = Int64(ends[1]), 0 <= first, first <= last, last < size
        else { return nil }
        return (first..<last + 1, size)
    }

    /// The body's length, if it is told.
    var contentLength: Int64? {
        headers.first(name: "content-length").flatMap { Int64($0) }.flatMap { $0 < 0 ? nil : $0 }
    }

    /// `Last-Modified`, in the one form that HTTP allows to be sent.
    var lastModified: Timestamp? { headers.first(name: "last-modified").flatMap(Timestamp.init(httpDate:)) }
}

/// A whole answer with a document of limited size.
struct S3Answer: Sendable {
    var head: S3AnswerHead
    var body: ByteBuffer

    /// Documents may have this size at most: a thousand keys of a kilobyte each are well below it.
    static let largestDocument = 16 << 20

    /// Reads the body as a document.
    ///
    /// - Parameter place: What was being done where, for the message.
    func decode<Document: Decodable>(_ type: Document.Type, place: String) throws(S3Failure) -> Document {
        do {
            return try Self.decode(type, body)
        } catch {
            throw S3Failure(
                error: ObjectStoreError(
                    .invalidAnswer,
                    "\(place): the answer cannot be understood. See whether the endpoint is that of an S3 server.",
                    cause: error
                ),
                outcome: .unknown
            )
        }
    }

    /// The error document in the body; `nil` if it is something else.
    var failure: S3AnswerDocuments.Failure? {
        guard body.readableBytes > 0, rootElement == "Error" else { return nil }
        return try? Self.decode(S3AnswerDocuments.Failure.self, body)
    }

    /// The name of the document's outermost element.
    private var rootElement: Substring? {
        let text = String(buffer: body.getSlice(at: body.readerIndex, length: min(1024, body.readableBytes)) ?? body)
        for piece in text.split(separator: "<") where !piece.hasPrefix("?") && !piece.hasPrefix("!") {
            guard let end = piece.firstIndex(where: { $0 == ">" || $0 == "/" || $0.isWhitespace }) else { return nil }
            if piece[..<end].isEmpty { continue }
            return piece[..<end]
        }
        return nil
    }

    private static func decode<Document: Decodable>(_ type: Document.Type, _ body: ByteBuffer) throws -> Document {
        let decoder = XMLDecoder(trimValueWhitespaces: false, removeWhitespaceElements: true)
        decoder.keyDecodingStrategy = .convertFromCapitalized
        return try decoder.decode(type, from: Data(buffer: body))
    }
}
