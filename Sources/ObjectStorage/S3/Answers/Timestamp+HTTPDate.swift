extension Timestamp {
    private static let months = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ]

    /// Reads a date of an HTTP header: `Mon, 02 Jan 2006 15:04:05 GMT`.
    init?(httpDate text: String) {
        let parts = text.split(separator: " ")
        guard parts.count == 6, parts[5] == "GMT", parts[1].utf8.count == 2, parts[3].utf8.count == 4,
            let month = Self.months.firstIndex(of: String(parts[2]))
        else { return nil }
        self.init(text: "\(parts[3])-\(Self.padded(month + 1, 2))-\(parts[1])T\(parts[4])Z")
    }
}
