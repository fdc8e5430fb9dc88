import NIOCore
import NIOPosix

extension HealthServerSettings {
    /// The address to listen at, as digits, so that what is checked is what is bound.
    ///
    /// A name is asked for on a thread that may wait.
    ///
    /// - Throws: ``HealthServerError`` for a name that is not known, and where others reach the address and there is no
    ///   token.
    func resolved() async throws -> String {
        // Not "::1", where the resolver would have it first: those who write 127.0.0.1 shall be answered.
        let name = host == "localhost" ? "127.0.0.1" : host
        let port = port
        let address: SocketAddress
        do {
            address = try await NIOThreadPool.singleton.runIfActive {
                try SocketAddress.makeAddressResolvingHost(name, port: port)
            }
        } catch  where error is SocketAddressError || error is SocketAddressError.UnknownHost {
            throw HealthServerError.unknownHost(self)
        }
        guard let digits = address.ipAddress else { throw HealthServerError.unknownHost(self) }
        guard token != nil || Self.isLoopback(digits) else { throw HealthServerError.tokenMissing(self) }
        return digits
    }

    /// Whether an address, as the system writes it, is reached from this host alone.
    static func isLoopback(_ digits: String) -> Bool {
        digits.hasPrefix("127.") || digits == "::1" || digits.hasPrefix("::ffff:127.")
    }
}
