/// A random 64-bit number that names something for ever; written as 16 hexadecimal digits.
public protocol HexadecimalID: RawRepresentable, Hashable, Comparable, Sendable, CustomStringConvertible
where RawValue == UInt64 {
    /// Takes a number.
    init(rawValue: UInt64)
}

extension HexadecimalID {
    /// Reads 16 hexadecimal digits in either case; `nil` for anything else.
    public init?(_ text: String) {
        guard text.utf8.count == 16, text.utf8.allSatisfy(\.isHexadecimalDigit), let number = UInt64(text, radix: 16)
        else { return nil }
        self.init(rawValue: number)
    }

    public var description: String {
        let digits = String(rawValue, radix: 16)
        return String(repeating: "0", count: 16 - digits.utf8.count) + digits
    }

    public static func < (lhs: Self, rhs: Self) -> Bool { lhs.rawValue < rhs.rawValue }
}

extension UInt8 {
    /// Whether this is the ASCII code of a hexadecimal digit.
    fileprivate var isHexadecimalDigit: Bool {
        switch self {
        case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "a")...UInt8(ascii: "f"),
            UInt8(ascii: "A")...UInt8(ascii: "F"):
            true
        default: false
        }
    }
}

/// A set of nodes that share one history.
public struct ClusterID: HexadecimalID {
    public let rawValue: UInt64
    public init(rawValue: UInt64) { self.rawValue = rawValue }
}

/// A node: one metadata folder on one machine. A lost disk is a new node (failover-review N1).
public struct NodeID: HexadecimalID {
    public let rawValue: UInt64
    public init(rawValue: UInt64) { self.rawValue = rawValue }
}

/// The life of a node between its start, or its fencing, and the next one (failover-review N1).
public struct SessionID: HexadecimalID {
    public let rawValue: UInt64
    public init(rawValue: UInt64) { self.rawValue = rawValue }
}
