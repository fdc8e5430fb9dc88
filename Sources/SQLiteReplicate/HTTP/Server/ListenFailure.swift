import NIOCore
import SystemPackage

/// Why the system does not let a server listen at an address.
enum ListenFailure: Hashable, Sendable {
    /// Somebody else listens there.
    case inUse
    /// The address is none of this host's.
    case notHere
    /// The process may not.
    case forbidden
    case other(Errno)

    /// What an error of the system means when it comes of listening; `nil` for others.
    init?(_ error: any Error) {
        guard let error = error as? IOError else { return nil }
        switch Errno(rawValue: error.errnoCode) {
        case .addressInUse: self = .inUse
        case .addressNotAvailable: self = .notHere
        case .permissionDenied, .notPermitted: self = .forbidden
        case let number: self = .other(number)
        }
    }
}
