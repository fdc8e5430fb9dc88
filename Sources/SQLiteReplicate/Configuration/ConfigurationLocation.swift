/// A place in a configuration file as it is written, before environment variables are put in.
public struct ConfigurationLocation: Hashable, Sendable, CustomStringConvertible {
    /// The file's path as it was given.
    public var file: String
    /// The line, counted from 1.
    public var line: Int
    /// The column, counted from 1 in Unicode scalars.
    public var column: Int

    /// Creates a place.
    public init(file: String, line: Int, column: Int) {
        (self.file, self.line, self.column) = (file, line, column)
    }

    /// `FILE:LINE:COLUMN`, as editors and terminals understand it.
    public var description: String { "\(file):\(line):\(column)" }
}
