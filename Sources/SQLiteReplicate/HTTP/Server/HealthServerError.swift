/// Why a health server does not start.
///
/// Branch on ``code``; show ``message`` to a person.
public struct HealthServerError: Error, Hashable, Sendable, CustomStringConvertible {
    /// A kind of failure; later versions may have more.
    public struct Code: Hashable, Sendable, CustomStringConvertible {
        private enum Kind: String {
            case addressInUse, addressUnavailable, permissionDenied, tokenMissing, invalidSettings
        }
        private let kind: Kind

        /// Another process, or another server of this one, listens there.
        public static let addressInUse = Self(kind: .addressInUse)
        /// The address is none of this host's, or its name is not known.
        public static let addressUnavailable = Self(kind: .addressUnavailable)
        /// The system does not let this process listen there.
        public static let permissionDenied = Self(kind: .permissionDenied)
        /// Other hosts would reach the server, and nothing would keep them out.
        public static let tokenMissing = Self(kind: .tokenMissing)
        /// A setting is out of its range.
        public static let invalidSettings = Self(kind: .invalidSettings)

        public var description: String { kind.rawValue }
    }

    /// The kind of failure.
    public let code: Code
    /// Which address, what happened, and what to do next.
    public let message: String

    public var description: String { message }
}

extension HealthServerError {
    static func invalid(_ message: String) -> Self { Self(code: .invalidSettings, message: message) }

    static func notAnAddress(_ text: String) -> Self {
        .invalid(
            "'\(text)' is no address to listen at: write HOST:PORT, such as 127.0.0.1:3000 or [::1]:3000, or :3000 for all "
                + "addresses of this host."
        )
    }

    static func tokenMissing(_ settings: HealthServerSettings) -> Self {
        Self(
            code: .tokenMissing,
            message:
                "Other hosts reach \(settings.address), and no token keeps them from giving commands: add the line "
                + "'token: TEXT' below 'cluster:', the same TEXT on all nodes, such as the output of "
                + "'openssl rand -hex 32'; or listen at 127.0.0.1:\(settings.port)."
        )
    }

    static func unknownHost(_ settings: HealthServerSettings) -> Self {
        Self(
            code: .addressUnavailable,
            message: "'\(settings.host)' is no address, and no name that this host knows: listen at an address of this "
                + "host, or at 127.0.0.1."
        )
    }

    /// What an error of the system means when it comes of listening; `nil` for others.
    init?(listening error: any Error, at settings: HealthServerSettings) {
        guard let failure = ListenFailure(error) else { return nil }
        let address = settings.address
        switch failure {
        case .inUse:
            self.init(
                code: .addressInUse,
                message: "\(address) is in use: end the program that listens there, or take another port, with "
                    + "'listen: HOST:PORT' below 'cluster:'."
            )
        case .notHere:
            self.init(
                code: .addressUnavailable,
                message: "\(address) is no address of this host: listen at one that it has, or at 127.0.0.1."
            )
        case .forbidden:
            self.init(
                code: .permissionDenied,
                message: "This process may not listen at \(address): take a port from 1024 on, or give it the right."
            )
        case .other(let number):
            self.init(code: .addressUnavailable, message: "Listening at \(address) does not work: \(number).")
        }
    }
}
