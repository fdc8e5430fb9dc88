import ArgumentParser
import SQLiteReplicate

/// `version`: which program this is.
struct VersionCommand: ParsableCommand {
    static let configuration = CommandConfiguration(commandName: "version", abstract: "Print the version.")

    @Flag(name: .both("verbose"), help: "Print the platform and the libraries in use, too.")
    var verbose = false

    func run() throws {
        guard verbose else { return StandardStreams.output(ProgramVersion.number + "\n") }
        var lines = [
            ("Version", ProgramVersion.number), ("Platform", ProgramVersion.platform), ("Build", ProgramVersion.build),
        ]
        lines += Commands.components.map { ($0.name, $0.version) }
        let width = (lines.map(\.0.count).max() ?? 0) + 3
        for (name, value) in lines {
            let label = "\(name):"
            StandardStreams.output(label + String(repeating: " ", count: width - label.count) + value + "\n")
        }
    }
}
