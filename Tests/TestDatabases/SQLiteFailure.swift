/// What SQLite answered instead of success.
public struct SQLiteFailure: Error, Hashable, Sendable, CustomStringConvertible {
    /// The extended result code, such as 5 (`SQLITE_BUSY`) or 517 (`SQLITE_BUSY_SNAPSHOT`).
    public let code: Int32
    /// SQLite's own words.
    public let message: String
    /// The statement, or what else was tried.
    public let attempt: String

    /// The primary result code: the lower eight bits.
    public var primaryCode: Int32 { code & 0xff }

    /// Whether another connection was in the way (`SQLITE_BUSY`, in any form).
    public var isBusy: Bool { primaryCode == 5 }

    public var description: String { "SQLite says '\(message)' (\(code)) to: \(attempt)" }
}
