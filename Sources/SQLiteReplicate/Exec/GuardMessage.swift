/// What a node tells the guard of its program, a line each.
enum GuardMessage: Hashable, Sendable {
    /// The program may run until a moment, and must be gone by another one; nanoseconds of the clock that also counts
    /// while the host sleeps.
    case feed(until: Int64, lockedBy: Int64)
    /// The program is to end, within so many nanoseconds.
    case stop(grace: Int64)

    /// The line, its end included.
    var line: String {
        switch self {
        case .feed(let until, let lockedBy): "feed \(until) \(lockedBy)\n"
        case .stop(let grace): "stop \(grace)\n"
        }
    }

    /// Reads a line; `nil` for anything else.
    init?(_ line: some StringProtocol) {
        let words = line.split(separator: " ")
        let numbers = words.dropFirst().compactMap { Int64($0) }
        guard numbers.count == words.count - 1, numbers.allSatisfy({ $0 >= 0 }) else { return nil }
        switch (words.first, numbers.count) {
        case ("feed", 2): self = .feed(until: numbers[0], lockedBy: numbers[1])
        case ("stop", 1): self = .stop(grace: numbers[0])
        default: return nil
        }
    }
}

/// Puts lines together from what arrives.
struct GuardMessageReader {
    private var bytes: [UInt8] = []

    /// Longer lines are not the node's.
    private static let limit = 4096

    /// Takes bytes in. Returns the messages that are complete; `nil` where something else than a node writes.
    mutating func take(_ more: some Sequence<UInt8>) -> [GuardMessage]? {
        bytes += more
        var messages: [GuardMessage] = []
        while let end = bytes.firstIndex(of: UInt8(ascii: "\n")) {
            guard let message = GuardMessage(String(decoding: bytes[..<end], as: UTF8.self)) else { return nil }
            messages.append(message)
            bytes.removeFirst(end + 1)
        }
        return bytes.count <= Self.limit ? messages : nil
    }
}
