import SystemPackage
import Yams

/// What is shared while one file is turned into a configuration: its text, its warnings, the place of every value.
final class ConfigurationDecoder {
    let file: String
    let expansion: EnvironmentExpansion
    let paths: PathText
    let dropped: [YAMLText.Place: String]
    private(set) var warnings: [ConfigurationWarning] = []
    /// Where values stand, by key path: `dbs[0].replica.sync-interval`.
    private var places: [String: ConfigurationLocation] = [:]
    /// Entries that `<<` may still bring in: a text of a few lines can ask for millions.
    var mergeBudget = 10_000

    init(
        file: String,
        expansion: EnvironmentExpansion,
        paths: PathText,
        dropped: [YAMLText.Place: String] = [:]
    ) {
        (self.file, self.expansion, self.paths, self.dropped) = (file, expansion, paths, dropped)
    }

    func warn(_ code: ConfigurationWarning.Code, _ message: String, at location: ConfigurationLocation?) {
        let warning = ConfigurationWarning(code, message, location: location)
        // A node that an anchor brings in twice is one place in the text.
        if !warnings.contains(warning) { warnings.append(warning) }
    }

    /// The place of a node in the text as written.
    func location(_ node: Node) -> ConfigurationLocation? {
        node.mark.map { location(line: $0.line, column: $0.column) }
    }

    func location(line: Int, column: Int) -> ConfigurationLocation {
        let place = expansion.writtenPosition(line: line, column: column)
        return ConfigurationLocation(file: file, line: place.line, column: place.column)
    }

    /// Whether a node begins inside the value of an environment variable, which must not be repeated in a message.
    func isFromEnvironment(_ node: Node) -> Bool {
        node.mark.map { expansion.writtenPosition(line: $0.line, column: $0.column).isValue } ?? false
    }

    func note(_ keyPath: String, at location: ConfigurationLocation?) { places[keyPath] = location }

    /// The place of a value; of the mapping it would stand in, where a default is meant.
    func place(of keyPath: String) -> ConfigurationLocation? {
        var path = keyPath[...]
        while true {
            if let place = places[String(path)] { return place }
            // A default of all replicas stands at the top level.
            if let key = path.split(separator: ".").last, path.contains("].replica."), let place = places[String(key)] {
                return place
            }
            guard let cut = path.lastIndex(where: { $0 == "." || $0 == "[" }) else { return places[""] }
            path = path[..<cut]
        }
    }
}
