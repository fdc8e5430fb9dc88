/// Something that a look through a replica has found.
public struct VerificationFinding: Hashable, Sendable, CustomStringConvertible {
    /// How much it matters.
    public struct Severity: Hashable, Comparable, Sendable, CustomStringConvertible {
        private enum Wrapped: Int { case note, warning, error }
        private let wrapped: Wrapped

        /// Worth knowing; nothing is wrong.
        public static let note = Self(wrapped: .note)
        /// Something is not as it should be, but every state that the files stand for can be restored.
        public static let warning = Self(wrapped: .warning)
        /// States cannot be restored.
        public static let error = Self(wrapped: .error)

        public static func < (lhs: Self, rhs: Self) -> Bool { lhs.wrapped.rawValue < rhs.wrapped.rawValue }

        public var description: String {
            switch wrapped {
            case .note: "note"
            case .warning: "warning"
            case .error: "error"
            }
        }
    }

    /// How much it matters.
    public let severity: Severity
    /// The file that it is about; `nil` for what is about several, or about files that are not there.
    public let file: ReplicaFile?
    /// What was found, with names and numbers.
    public let message: String

    /// Creates a finding.
    public init(_ severity: Severity, file: ReplicaFile? = nil, _ message: String) {
        (self.severity, self.file, self.message) = (severity, file, message)
    }

    public var description: String { "\(severity): \(message)" }
}

/// What a look through a replica has found.
public struct VerificationReport: Hashable, Sendable {
    /// All findings: those about files in the order of the listing, then those about the whole.
    public var findings: [VerificationFinding] = []
    /// How many files were read.
    public var fileCount = 0
    /// How many bytes they have.
    public var byteCount: Int64 = 0
    /// How many of them name the checksum of the database after them.
    public var markCount = 0

    /// Whether every file is whole and nothing is missing.
    public var isSound: Bool { findings.allSatisfy { $0.severity < .error } }
}
