import ArgumentParser
import SQLiteReplicate
import SystemPackage

/// `demo`: shows the whole way once, on a database of its own.
struct DemoCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "demo",
        abstract: "Replicate and restore a database; kill the primary of two nodes; prove that nothing is lost.",
        discussion: """
            Makes a database, writes, replicates to a folder, and restores two moments. Then two nodes share a folder: the \
            primary is killed under writes, the standby takes over, the old one returns. Ends with 2 if what was restored \
            differs, or lacks a row that was answered as replicated.
            """,
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

    @Flag(
        name: .both("two-hosts"),
        help: "Show two hosts with a store each, and a witness, instead: each fault and its way back."
    )
    var twoHosts = false

    func run() async throws {
        let logger = try LogSettings.quietLogger()
        let folder = folder.map { FilePath($0) }
        let program = ProgramPath.own
        let report = try await StopSignals.cancel {
            guard twoHosts else {
                return try await Commands.demo(folder: folder, program: program, logger: logger)
            }
            guard let program else {
                throw ValidationError("This program does not know its own file: call it by its full path.")
            }
            return try await Commands.demoOfTwoHosts(folder: folder, program: program, logger: logger)
        }
        var table = TextTable("step", "what", "time")
        for step in report.steps {
            let (seconds, attoseconds) = step.took.components
            table.add(step.name, step.detail, "\(seconds * 1000 + attoseconds / 1_000_000_000_000_000) ms")
        }
        StandardStreams.output(table.text)
        guard report.isProven else { throw ExitCode(2) }
    }
}
