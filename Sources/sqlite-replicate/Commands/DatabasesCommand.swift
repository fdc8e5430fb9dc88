import ArgumentParser
import SQLiteReplicate
import SystemPackage

/// `databases`: what the configuration file says.
struct DatabasesCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "databases",
        abstract: "List the databases of the configuration file; this checks the file as well.",
    )

    @OptionGroup var file: ConfigurationOptions

    @Flag(name: .both("json"), help: "Write the list as JSON.")
    var json = false

    private struct Row: Encodable {
        var path: String
        var replica: String
    }

    func run() throws {
        let loaded = try file.source.load()
        WarningOutput.write(loaded.warnings)
        let rows = loaded.configuration.databases.map {
            Row(path: $0.path.string, replica: $0.replica.type.description)
        }
        if json { return try JSONOutput.write(rows) }
        var table = TextTable("path", "replica")
        for row in rows { table.add(row.path, row.replica) }
        StandardStreams.output(table.text)
    }
}
