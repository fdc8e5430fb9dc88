import Cluster
import LTX

/// One state of a cell, never to be had again: what a swap names as the state that it replaces.
///
/// The number grows with each change of any cell in the file. It alone would come again after an older copy of the file was
/// put back: so each change has random bits of its own. And the sum is of the bytes as they lie in the file, so that a body
/// which somebody edited there is not taken for the one that was put.
struct WitnessRevision: Hashable, Sendable, CustomStringConvertible {
    let number: Int64
    let nonce: UInt64
    let sum: UInt64

    init(number: Int64, nonce: UInt64, sum: UInt64) { (self.number, self.nonce, self.sum) = (number, nonce, sum) }

    /// The revision of these bytes.
    init(number: Int64, nonce: UInt64, of bytes: [UInt8]) {
        self.init(number: number, nonce: nonce, sum: unsafe CRC64.checksum(of: bytes.span.bytes))
    }

    /// Reads three times 16 hexadecimal digits; `nil` for anything else.
    init?(_ text: some StringProtocol) {
        let parts = text.split(separator: "-", omittingEmptySubsequences: false).map { SessionID(String($0))?.rawValue }
        guard parts.count == 3, let number = parts[0], let nonce = parts[1], let sum = parts[2] else { return nil }
        self.init(number: Int64(bitPattern: number), nonce: nonce, sum: sum)
    }

    var description: String {
        [UInt64(bitPattern: number), nonce, sum].map { SessionID(rawValue: $0).description }.joined(separator: "-")
    }

    /// The header `ETag`.
    var tag: String { "\"\(self)\"" }
}
