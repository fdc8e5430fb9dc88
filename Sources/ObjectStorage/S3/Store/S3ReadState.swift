/// Where a read of one object stands: what has come, and what is asked for next. Pure.
///
/// A storage may close a connection in the middle of a body, with an error or as if that were its end. So an end is
/// only believed at the byte where the head said it would be, and what is missing is asked for again from where it
/// broke.
struct S3ReadState {
    /// The bytes wanted; `nil` for the whole object.
    let wanted: Range<Int64>?
    /// Whether the object may end within the bytes wanted.
    let mayEndEarly: Bool
    /// The offset of the next byte.
    private(set) var position: Int64
    /// The offset behind the last byte; `nil` until it is known.
    private(set) var end: Int64?
    /// The object's size, once it is known.
    private(set) var byteCount: Int64?
    /// The version that all bytes have to be of, once it is known.
    private(set) var version: ObjectVersion?

    init(wanted: Range<Int64>?, mayEndEarly: Bool = false, version: ObjectVersion? = nil) {
        (self.wanted, self.mayEndEarly, self.version) = (wanted, mayEndEarly, version)
        (position, end) = (wanted?.lowerBound ?? 0, wanted?.upperBound)
    }

    /// The headers that ask for what is missing.
    var headers: [(name: String, value: String)] {
        var headers: [(name: String, value: String)] = []
        if position > 0 || wanted != nil {
            headers.append(("range", "bytes=\(position)-\(end.map { "\($0 - 1)" } ?? "")"))
        }
        // A weak tag never matches.
        if let version, !version.rawValue.hasPrefix("W/") { headers.append(("if-match", version.rawValue)) }
        return headers
    }

    /// Takes the head of an answer, and checks that it is one to the question.
    mutating func begin(_ head: S3AnswerHead, place: String) throws(S3Failure) {
        if let version, let other = head.version, version != other { throw Self.replaced(place) }
        version = version ?? head.version
        if head.status == 206 {
            guard let (range, size) = head.contentRange, range.lowerBound == position, byteCount ?? size == size else {
                throw Self.invalid(place, "the answer is another part than the one asked for")
            }
            byteCount = size
        } else {
            guard position == 0 else { throw Self.invalid(place, "the server takes no notice of `Range`") }
            // Without a length the body is chunked, and says itself where it ends.
            byteCount = head.contentLength
        }
        guard let wanted else {
            end = byteCount
            return
        }
        guard let byteCount, byteCount < wanted.upperBound else { return }
        guard mayEndEarly else { throw S3Failure(error: .truncated(place, wanted, byteCount: byteCount)) }
        end = byteCount
    }

    /// Takes `count` bytes that have come.
    ///
    /// - Returns: How many of them are wanted; the others are beyond the end.
    mutating func take(_ count: Int) -> Int {
        let taken = end.map { min(Int64(count), $0 - position) } ?? Int64(count)
        position += taken
        return Int(taken)
    }

    /// Takes the body's end.
    mutating func finish(place: String) throws(S3Failure) {
        if end == nil { end = position }
        if byteCount == nil, wanted == nil { byteCount = position }
        guard position == end else {
            let rest = (end ?? position) - position
            throw S3Failure(
                error: ObjectStoreError(.unreachable, "\(place): the answer ended \(rest) bytes early."),
                isTransient: true
            )
        }
    }

    private static func invalid(_ place: String, _ fact: String) -> S3Failure {
        S3Failure(
            error: ObjectStoreError(
                .invalidAnswer,
                "\(place): \(fact). See whether a proxy in between changes requests."
            )
        )
    }

    static func replaced(_ place: String) -> S3Failure {
        S3Failure(
            error: ObjectStoreError(
                .integrity,
                "\(place): the object was replaced while it was being read. Read it again.",
                cause: Replacement()
            )
        )
    }

    /// The cause that tells this trouble from others of its code.
    struct Replacement: Error {}
}
