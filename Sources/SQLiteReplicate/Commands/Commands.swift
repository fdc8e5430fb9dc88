import CSQLite
import LTX
import ObjectStorage

/// What the program's commands do, for programs that want to do the same.
public enum Commands {
    /// Reads a moment in RFC 3339, with any offset: milliseconds since 1970, or `nil` for any other text.
    public static func milliseconds(rfc3339 text: String) -> Int64? { Timestamp(text: text)?.rawValue }

    /// Writes a moment in RFC 3339, in UTC, trailing zeros of the fraction removed.
    public static func rfc3339(milliseconds: Int64) -> String { Timestamp(rawValue: milliseconds).shortText }

    /// Writes a length of time as configuration files have it: `1h30m`, `1.5s`, `250ms`.
    public static func text(of duration: Duration) -> String { DurationText.format(duration) }

    /// Name and version of the system's libraries, as this process has loaded them.
    public static var components: [(name: String, version: String)] {
        // SAFETY: SQLite's version is a static C string.
        [("SQLite", unsafe String(cString: sqlite3_libversion()))]
    }
}
