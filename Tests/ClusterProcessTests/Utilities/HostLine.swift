/// A line that `node-host` said: a word, and fields.
struct HostLine: CustomStringConvertible {
    let text: String
    /// The first word.
    let kind: String
    private let fields: [String: String]

    init(_ text: some StringProtocol) {
        self.text = String(text)
        let words = text.split(separator: " ")
        kind = words.first.map { String($0) } ?? ""
        var fields: [String: String] = [:]
        for word in words.dropFirst() {
            let parts = word.split(separator: "=", maxSplits: 1)
            if parts.count == 2 { fields[String(parts[0])] = String(parts[1]) }
        }
        self.fields = fields
    }

    subscript(_ name: String) -> String? { fields[name] }

    func number(_ name: String) -> Int64 { fields[name].flatMap { Int64($0) } ?? 0 }

    /// When it was said, in nanoseconds since the boot.
    var time: Int64 { number("t") }

    /// The role, in a line that tells of one.
    var role: String? { kind == "role" ? text.split(separator: " ").dropFirst().first.map { String($0) } : nil }

    var description: String { text }
}
