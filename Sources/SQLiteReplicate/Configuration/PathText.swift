import SystemPackage

/// Turns the paths that people write into absolute ones.
struct PathText: Sendable {
    /// The home folder, for `~`; `nil` where the environment names none.
    var home: String?
    /// The absolute path that relative ones start from.
    var workingDirectory: String

    /// A path that starts with `~`, without a home folder to put in its place.
    struct NoHome: Error {}

    /// Expands `~` and `~/…`, makes the path absolute, and resolves `.` and `..` by name alone.
    func absolute(_ text: String) throws(NoHome) -> FilePath {
        var path = text
        if path == "~" || path.hasPrefix("~/") {
            guard let home, !home.isEmpty else { throw NoHome() }
            path = home + path.dropFirst()
        }
        return FilePath(workingDirectory).pushing(FilePath(path)).lexicallyNormalized()
    }

    /// The same for a database, whose path may stand behind `sqlite://` or `sqlite3://`.
    func absoluteDatabase(_ text: String) throws(NoHome) -> FilePath {
        for scheme in ["sqlite://", "sqlite3://"] where text.hasPrefix(scheme) {
            return try absolute(String(text.dropFirst(scheme.count)))
        }
        return try absolute(text)
    }
}
