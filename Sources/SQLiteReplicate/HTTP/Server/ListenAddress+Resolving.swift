import NIOCore
import NIOPosix

extension ListenAddress {
    /// The host as digits, so that what is checked is what is bound; `nil` for a name that this host does not know.
    ///
    /// A name is asked for on a thread that may wait.
    func digits() async throws -> String? {
        // Not "::1", where the resolver would have it first: those who write 127.0.0.1 shall be answered.
        let name = host == "localhost" ? "127.0.0.1" : host
        let port = port
        do {
            return try await NIOThreadPool.singleton.runIfActive {
                try SocketAddress.makeAddressResolvingHost(name, port: port).ipAddress
            }
        } catch  where error is SocketAddressError || error is SocketAddressError.UnknownHost {
            return nil
        }
    }

    /// Whether an address, as the system writes it, is reached from this host alone.
    static func isLoopback(digits: String) -> Bool {
        digits.hasPrefix("127.") || digits == "::1" || digits.hasPrefix("::ffff:127.")
    }
}
