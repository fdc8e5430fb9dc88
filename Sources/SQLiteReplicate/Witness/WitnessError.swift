import GRDB
import SystemPackage

/// Why a witness does not start.
///
/// Branch on ``code``; show ``message`` to a person. Neither holds the token.
public struct WitnessError: Error, Hashable, Sendable, CustomStringConvertible {
    /// A kind of failure; later versions may have more.
    public struct Code: Hashable, Sendable, CustomStringConvertible {
        private enum Kind: String {
            case invalidSettings, tokenMissing, certificate
            case addressInUse, addressUnavailable, permissionDenied
            case fileInUse, fileUnusable, foreignFile, damagedFile
        }
        private let kind: Kind

        /// A setting is out of its range.
        public static let invalidSettings = Self(kind: .invalidSettings)
        /// Other hosts would reach the witness, and nothing would keep them out.
        public static let tokenMissing = Self(kind: .tokenMissing)
        /// The certificate or its key cannot be used.
        public static let certificate = Self(kind: .certificate)
        /// Another process, or another server of this one, listens there.
        public static let addressInUse = Self(kind: .addressInUse)
        /// The address is none of this host's, or its name is not known.
        public static let addressUnavailable = Self(kind: .addressUnavailable)
        /// The system does not let this process listen there.
        public static let permissionDenied = Self(kind: .permissionDenied)
        /// Another process has the file open.
        public static let fileInUse = Self(kind: .fileInUse)
        /// The file cannot be made, read or written.
        public static let fileUnusable = Self(kind: .fileUnusable)
        /// The file is none of a witness's, or of a later version's.
        public static let foreignFile = Self(kind: .foreignFile)
        /// The file is damaged.
        public static let damagedFile = Self(kind: .damagedFile)

        public var description: String { kind.rawValue }
    }

    /// The kind of failure.
    public let code: Code
    /// Which file or address, what happened, and what to do next.
    public let message: String

    public var description: String { message }

    static func invalid(_ message: String) -> Self { Self(code: .invalidSettings, message: message) }
}

extension WitnessError {
    static func tokenMissing(_ address: ListenAddress) -> Self {
        Self(
            code: .tokenMissing,
            message:
                "Other hosts reach \(address), and no token keeps them from changing who may write: name a file with "
                + "one by -token-file, such as the output of 'openssl rand -hex 32'; or listen at 127.0.0.1."
        )
    }

    static func unknownHost(_ address: ListenAddress) -> Self {
        Self(
            code: .addressUnavailable,
            message:
                "'\(address.host)' is no address, and no name that this host knows: listen at an address of this host."
        )
    }

    /// What an error of the system means when it comes of listening; `nil` for others.
    init?(listening error: any Error, at address: ListenAddress) {
        switch ListenFailure(error) {
        case nil: return nil
        case .inUse?:
            self.init(
                code: .addressInUse,
                message: "\(address) is in use: end the program that listens there, or take another port with -listen."
            )
        case .notHere?:
            self.init(
                code: .addressUnavailable,
                message: "\(address) is no address of this host: listen at one that it has, or at 127.0.0.1."
            )
        case .forbidden?:
            self.init(
                code: .permissionDenied,
                message: "This process may not listen at \(address): take a port from 1024 on, or give it the right."
            )
        case .other(let number)?:
            self.init(code: .addressUnavailable, message: "Listening at \(address) does not work: \(number).")
        }
    }
}

extension WitnessError {
    static func fileInUse(_ path: FilePath) -> Self {
        Self(
            code: .fileInUse,
            message:
                "'\(path)' is open in another process, perhaps another witness: two would tell two stories. End that "
                + "one first."
        )
    }

    static func fileUnusable(_ path: FilePath, _ fact: String) -> Self {
        Self(
            code: .fileUnusable,
            message: "'\(path)' cannot be used: \(fact). See that its folder is there, and that this user may read and "
                + "write both."
        )
    }

    static func foreignFile(_ path: FilePath, _ fact: String) -> Self {
        Self(
            code: .foreignFile,
            message: "'\(path)' is no file of this witness: \(fact). Nothing was changed; name another file with -data."
        )
    }

    static func damagedFile(_ path: FilePath, _ fact: String) -> Self {
        Self(
            code: .damagedFile,
            message: "'\(path)' is damaged (\(fact)): put it aside, and see 'When the file is lost' in the witness's "
                + "documentation. An older copy must not simply take its place."
        )
    }

    /// What an error of SQLite means when it comes of opening.
    init(opening path: FilePath, _ error: DatabaseError) {
        let fact = error.message ?? "\(error.resultCode)"
        switch error.resultCode {
        case .SQLITE_BUSY, .SQLITE_LOCKED: self = .fileInUse(path)
        case .SQLITE_NOTADB: self = .foreignFile(path, "it is no SQLite database")
        case .SQLITE_CORRUPT: self = .damagedFile(path, fact)
        default: self = .fileUnusable(path, fact)
        }
    }
}

extension WitnessError {
    static func certificate(_ path: FilePath, _ fact: String) -> Self {
        Self(
            code: .certificate,
            message: "The certificate '\(path)' cannot be used: \(fact). It is a file in PEM form, the server's own "
                + "certificate first and those of its authorities behind it."
        )
    }

    static func key(_ path: FilePath, _ fact: String) -> Self {
        Self(
            code: .certificate,
            message:
                "The key '\(path)' cannot be used: \(fact). It is a file in PEM form, without a password, that this "
                + "user may read."
        )
    }

    static func pair(_ certificate: FilePath, _ key: FilePath, _ fact: String) -> Self {
        Self(
            code: .certificate,
            message:
                "The key '\(key)' is not that of the certificate '\(certificate)' (\(fact)): name the two that were "
                + "made together."
        )
    }
}
