import ArgumentParser
import SQLiteReplicate
import Testing

@testable import sqlite_replicate

@Suite struct ArgumentTests {
    private func parse<Command>(_ type: Command.Type, _ arguments: String...) throws -> Command {
        try #require(try Program.parseAsRoot(arguments) as? Command)
    }

    /// The exit code and message of arguments that are refused.
    private func refusal(_ arguments: String...) throws -> (code: Int32, message: String) {
        let error = try #require(throws: (any Error).self) { _ = try Program.parseAsRoot(arguments) }
        return (Program.exitCode(for: error).rawValue, Program.message(for: error))
    }

    @Test(
        "Flags take one hyphen or two, and a value behind a space or an equals sign",
        arguments: [
            ["-config", "c.yml", "-log-level", "debug"], ["--config", "c.yml", "--log-level", "debug"],
            ["-config=c.yml", "-log-level=debug"], ["--config=c.yml", "--log-level=debug"],
        ]
    )
    func spellings(_ flags: [String]) throws {
        let command = try #require(try Program.parseAsRoot(["replicate"] + flags) as? ReplicateCommand)
        #expect(command.file.config == "c.yml" && command.logLevel == "debug")
        #expect(command.file.source.expandEnvironment)
    }

    @Test("replicate takes Litestream's flags")
    func replicate() throws {
        let command = try parse(
            ReplicateCommand.self,
            "replicate",
            "-once",
            "-force-snapshot",
            "-enforce-retention",
            "-no-expand-env",
            "-restore-if-db-not-exists",
            "a.db",
            "s3://b/p"
        )
        #expect(command.once && command.forceSnapshot && command.enforceRetention && command.restoreIfDatabaseNotExists)
        #expect(command.file.noExpandEnv && command.arguments == ["a.db", "s3://b/p"])
    }

    @Test("restore takes Litestream's flags, before and behind the argument")
    func restore() throws {
        let command = try parse(
            RestoreCommand.self,
            "restore",
            "-o",
            "out.db",
            "-txid=1A",
            "-parallelism",
            "4",
            "-if-db-not-exists",
            "-if-replica-exists",
            "-dry-run",
            "-force",
            "s3://b/p",
            "-json",
            "-integrity-check",
            "quick"
        )
        #expect(command.output == "out.db" && command.txid == "1A" && command.parallelism == 4)
        #expect(
            command.ifDatabaseNotExists && command.ifReplicaExists && command.dryRun && command.force && command.json
        )
        #expect(command.integrityCheck == "quick" && command.argument == "s3://b/p")
        #expect(
            try parse(RestoreCommand.self, "restore", "-timestamp", "2026-01-02T15:04:05.25+01:00", "x").timestamp
                != nil
        )
    }

    @Test("ltx, wal, databases, verify, demo and version take theirs")
    func others() throws {
        #expect(try parse(LTXCommand.self, "ltx", "x").options.levels == 0...0)
        #expect(try parse(LTXCommand.self, "ltx", "-level", "all", "-json", "x").options.levels == 0...9)
        #expect(try parse(WALCommand.self, "wal", "-level=9", "x").options.levels == 9...9)
        #expect(try parse(DatabasesCommand.self, "databases", "-json", "-config", "c").json)
        #expect(try parse(VerifyCommand.self, "verify", "--json", "x").json)
        #expect(try parse(DemoCommand.self, "demo", "-folder", "f").folder == "f")
        #expect(try parse(VersionCommand.self, "version", "-verbose").verbose)
    }

    @Test(
        "Wrong usage ends with 64 and says what to do",
        arguments: [
            (["replicate", "-once", "-exec", "sleep 1"], "exclude each other"),
            (["replicate", "a.db"], "Name the replica"),
            (["replicate", "a", "b", "c"], "Several replicas"), (["replicate", "-force-snapshot"], "needs -once"),
            (["replicate", "-enforce-retention"], "needs -once"), (["replicate", "-log-level", "loud"], "'loud'"),
            (["replicate", "-config", "c", "a", "b"], "exclude each other"), (["restore"], "Missing expected argument"),
            (["restore", "-f", "x"], "not served yet"), (["restore", "-follow", "x"], "not served yet"),
            (["restore", "-follow-interval", "1s", "x"], "not served yet"),
            (["restore", "-txid", "0", "x"], "hexadecimal"),
            (["restore", "-txid", "12345678901234567", "x"], "hexadecimal"),
            (["restore", "-txid", "+1", "x"], "hexadecimal"),
            (["restore", "-txid", "1", "-timestamp", "2026-01-02T15:04:05Z", "x"], "exclude each other"),
            (["restore", "-timestamp", "now", "x"], "'now'"),
            (["restore", "-parallelism", "0", "x"], "between 1 and 1000"),
            (["restore", "-integrity-check", "deep", "x"], "'deep'"), (["ltx", "-level", "10", "x"], "0 to 9"),
            (["ltx", "-level", "-1", "x"], "level"), (["verify"], "Missing expected argument"), (["bogus"], "bogus"),
            (["restore", "-colour", "x"], "-colour"), (["restore", "-o", "", "x"], "must not be empty"),
        ]
    )
    func refused(_ arguments: [String], _ words: String) throws {
        let error = try #require(throws: (any Error).self) { _ = try Program.parseAsRoot(arguments) }
        #expect(Program.exitCode(for: error).rawValue == 64)
        #expect(Program.message(for: error).contains(words), "\(Program.message(for: error))")
    }

    @Test("Help is asked for in every spelling", arguments: ["-h", "-help", "--help"])
    func help(_ flag: String) throws {
        for arguments in [[flag], ["restore", flag]] {
            let error = try #require(throws: (any Error).self) {
                var command = try Program.parseAsRoot(arguments)
                try command.run()
            }
            #expect(Program.exitCode(for: error).rawValue == 0)
            #expect(Program.fullMessage(for: error).contains("OVERVIEW"))
        }
        #expect(Program.helpMessage().contains("2 checked and"))
    }

    @Test("Transaction numbers are 16 hexadecimal digits")
    func transactionNumbers() {
        #expect(TransactionNumber.parse("000000000000001a") == 26)
        #expect(TransactionNumber.parse("ffffffffffffffff") == .max)
        #expect(TransactionNumber.text(26) == "000000000000001a")
        #expect(TransactionNumber.text(.max) == "ffffffffffffffff")
        #expect(TransactionNumber.parse("") == nil && TransactionNumber.parse("٣") == nil)
    }
}
