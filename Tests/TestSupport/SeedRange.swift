import Foundation

/// Which seeds a test over many histories takes.
public enum SeedRange {
    /// The range in an environment variable, such as `1..2000`, or one seed, such as `17`; else `standard`.
    ///
    /// - Throws: ``TestSupportError`` where the variable holds something else.
    public static func from(_ variable: String, standard: ClosedRange<UInt64>) throws -> ClosedRange<UInt64> {
        guard let text = ProcessInfo.processInfo.environment[variable], !text.isEmpty else { return standard }
        let ends = text.split(separator: "..", maxSplits: 1).map { UInt64($0) }
        guard let first = ends.first ?? nil, let last = ends.last ?? nil, first <= last else {
            throw TestSupportError("\(variable)=\(text): write a range of seeds such as 1..2000, or one seed.")
        }
        return first...last
    }
}
