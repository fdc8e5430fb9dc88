/// The token that requests must bring.
struct BearerToken: Sendable {
    private let secret: Secret

    init(_ secret: Secret) { self.secret = secret }

    /// Whether a text can be sent as a token: visible ASCII, and some of it.
    static func isFit(_ text: String) -> Bool { !text.isEmpty && text.utf8.allSatisfy { (0x21...0x7E).contains($0) } }

    /// Whether the value of a header `Authorization` brings the token.
    ///
    /// The time taken tells nothing of how much of it was right.
    func isBrought(by authorization: String?) -> Bool {
        guard let authorization, let space = authorization.firstIndex(of: " "),
            authorization[..<space].lowercased() == "bearer"
        else { return false }
        let given = Array(authorization[space...].drop { $0 == " " }.utf8)
        let wanted = Array(secret.exposed.utf8)
        guard !wanted.isEmpty else { return false }
        var difference = UInt(bitPattern: given.count ^ wanted.count)
        for (index, byte) in given.enumerated() { difference |= UInt(byte ^ wanted[index % wanted.count]) }
        return difference == 0
    }
}
