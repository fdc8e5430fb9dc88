import ArgumentParser
import SQLiteReplicate
import SystemPackage

/// `demo`: shows the whole way once, on a database of its own.
struct DemoCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "demo",
        abstract: "Make a database, write, replicate, restore two moments, and prove that they are equal.",
        discussion: "Ends with 2 if what was restored differs.",
    )

    @Option(
        name: .both("folder"),
        help: ArgumentHelp(
            "Work here, and leave everything to be looked at (default: a temporary folder).",
            valueName: "path"
        ),
        completion: .directory,
    )
    var folder: String?

    func run() async throws {
        let logger = try LogSettings.quietLogger()
        let folder = folder.map { FilePath($0) }
        let report = try await StopSignals.cancel { try await Commands.demo(folder: folder, logger: logger) }
        var table = TextTable("step", "what", "time")
        for step in report.steps {
            let (seconds, attoseconds) = step.took.components
            table.add(step.name, step.detail, "\(seconds * 1000 + attoseconds / 1_000_000_000_000_000) ms")
        }
        StandardStreams.output(table.text)
        guard report.isProven else { throw ExitCode(2) }
    }
}
