extension HealthServerSettings {
    /// The address to listen at, as digits, so that what is checked is what is bound.
    ///
    /// - Throws: ``HealthServerError`` for a name that is not known, and where others reach the address and there is no
    ///   token.
    func resolved() async throws -> String {
        guard let digits = try await ListenAddress(host: host, port: port).digits() else {
            throw HealthServerError.unknownHost(self)
        }
        guard token != nil || ListenAddress.isLoopback(digits: digits) else {
            throw HealthServerError.tokenMissing(self)
        }
        return digits
    }
}
