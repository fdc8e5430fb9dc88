import ArgumentParser
import Replication
import SQLiteReplicate

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// Where the program begins.
@main
enum Main {
    static func main() async {
        // Before there are threads: the guard of a program is no more than a loop.
        if let code = GuardProgram.run(CommandLine.arguments) { exit(code) }
        MemoryTuning.apply()
        OpenFileLimit.raise()
        WorkerExecutor.shared.takeTasksWithoutPreference()
        await withTaskExecutorPreference(WorkerExecutor.shared) { await Program.start() }
    }
}

/// The program: arguments in, words or JSON out, nothing else.
struct Program: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "sqlite-replicate",
        abstract: "Ships every committed change of SQLite databases to a folder or to S3, and brings them back.",
        discussion: """
            Files, flags and layout are Litestream 0.5's: 'replicate' and 'restore' take its litestream.yml, and each \
            restores what the other wrote. Flags take one hyphen or two, and '=VALUE' or ' VALUE'.

            Exit codes: 0 done; 1 failed, with one line on standard error; 2 checked and found wrong (verify, demo); \
            64 wrong usage; 128 and the signal's number if a signal ended the program. The commands of a node \
            (\(NodeExit.commands.joined(separator: ", "))) have codes of their own, which their help tells.
            """,
        version: ProgramVersion.number,
        subcommands: [
            InitCommand.self, ReplicateCommand.self, RestoreCommand.self, DatabasesCommand.self, LTXCommand.self,
            WALCommand.self, VerifyCommand.self, DemoCommand.self, DemoNodeCommand.self, VersionCommand.self,
        ],
        groupedSubcommands: [
            CommandGroup(
                name: "NODE SUBCOMMANDS",
                subcommands: [
                    ServiceCommand.self, StandbyCommand.self, PromoteCommand.self, SwitchoverCommand.self,
                    DemoteCommand.self, ClusterCommand.self, TailCommand.self, WitnessCommand.self,
                ]
            )
        ],
        helpNames: [.short, .long, .customLong("help", withSingleDash: true)],
    )

    /// Reads the arguments, runs the command they name, and ends the program.
    static func start() async {
        do {
            var command = try parseAsRoot()
            if var asynchronous = command as? any AsyncParsableCommand {
                try await asynchronous.run()
            } else {
                try command.run()
            }
        } catch {
            let isOfNode = CommandLine.arguments.dropFirst().first.map(NodeExit.commands.contains) ?? false
            guard isOfNode, exitCode(for: error) == .validationFailure else { exit(withError: error) }
            StandardStreams.error(fullMessage(for: error) + "\n")
            exit(withError: ExitCode(NodeExit.usage))
        }
    }

    /// No command at all is wrong usage.
    func run() async throws {
        StandardStreams.error(Self.helpMessage() + "\n")
        throw ExitCode.validationFailure
    }
}
