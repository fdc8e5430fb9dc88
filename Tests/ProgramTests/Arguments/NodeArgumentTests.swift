import ArgumentParser
import Cluster
import Foundation
import SQLiteReplicate
import SystemPackage
import TestSupport
import Testing

@testable import sqlite_replicate

@Suite struct NodeArgumentTests {
    private func parse<Command>(_ type: Command.Type, _ arguments: String...) throws -> Command {
        try #require(try Program.parseAsRoot(arguments) as? Command)
    }

    @Test("service and standby take a configuration, or a database and its replica, and flags for the pieces")
    func services() throws {
        let service = try parse(
            ServiceCommand.self,
            "service",
            "-no-health",
            "--no-writer",
            "-no-replication",
            "-port",
            "0",
            "-name=a",
            "a.db",
            "s3://b/p"
        )
        #expect(service.noReplication && service.pieces.noHealth && service.pieces.noWriter)
        #expect(service.pieces.port == 0 && service.pieces.name == "a")
        #expect(service.node.arguments == ["a.db", "s3://b/p"])
        let standby = try parse(
            StandbyCommand.self,
            "standby",
            "-config",
            "c.yml",
            "-no-expand-env",
            "-log-level=debug"
        )
        #expect(standby.node.file.config == "c.yml" && !standby.node.file.source.expandEnvironment)
        #expect(!standby.pieces.noHealth && standby.pieces.logLevel == "debug" && standby.pieces.port == nil)
    }

    @Test("Arguments make a cluster with all defaults, whose pieces flags change")
    func arguments() throws {
        var (configuration, warnings) = try parse(StandbyCommand.self, "standby", "/d/a.db", "/r").node.load()
        #expect(configuration.cluster == ClusterConfiguration() && warnings.isEmpty)
        #expect(configuration.databases.map(\.path) == ["/d/a.db"])
        let pieces = try parse(
            ServiceCommand.self,
            "service",
            "-no-health",
            "-no-writer",
            "-port",
            "3999",
            "-name",
            "b"
        )
        .pieces
        try pieces.apply(to: &configuration)
        #expect(!configuration.service.servesHealth && !configuration.service.writes)
        #expect(configuration.cluster?.name == "b" && configuration.cluster?.reachableURL == "http://127.0.0.1:3999")
        configuration.cluster = nil
        #expect(throws: ConfigurationError.self) { try pieces.apply(to: &configuration) }
    }

    @Test("The words to a node, and the commands about a cluster, take theirs")
    func others() throws {
        #expect(try parse(PromoteCommand.self, "promote", "-accept-loss").acceptLoss)
        #expect(try parse(PromoteCommand.self, "promote", "-url", "http://h:1").node.url == "http://h:1")
        #expect(try parse(SwitchoverCommand.self, "switchover", "--to", "b", "-config", "c").to == "b")
        #expect(try parse(DemoteCommand.self, "demote").node.url == nil)
        #expect(try parse(ClusterInitCommand.self, "cluster", "init", "a.db", "/r").node.arguments.count == 2)
        #expect(try parse(ClusterStatusCommand.self, "cluster", "status", "-json").json)
        #expect(try parse(ClusterAdoptCommand.self, "cluster", "adopt", "-yes").consent.yes)
        let repair = try parse(
            ClusterRepairCommand.self,
            "cluster",
            "repair",
            "--recreate-lease",
            "--yes",
            "a.db",
            "/r"
        )
        #expect(repair.recreateLease && !repair.reseed && repair.node.arguments.count == 2)
    }

    @Test("The witness serves unless it is asked for its status")
    func witness() throws {
        let serve = try parse(WitnessServeCommand.self, "witness", "-data", "w.db", "-token-env=W")
        #expect(serve.data == "w.db" && serve.listen == "127.0.0.1:3001" && serve.access.tokenVariable == "W")
        #expect(try parse(WitnessServeCommand.self, "witness", "serve", "--data=w.db", "-listen", ":1").listen == ":1")
        let status = try parse(WitnessStatusCommand.self, "witness", "status", "http://w", "-json", "-token-file", "t")
        #expect(status.url == "http://w" && status.json && status.access.tokenFile == "t")
    }

    @Test("The commands of the systemd units are ones that the program knows")
    func units() throws {
        let folder = PackageRoot.appending("Examples/systemd").string
        let names = try FileManager.default.contentsOfDirectory(atPath: folder)
        #expect(names.count == 3)
        for name in names {
            let lines = try String(contentsOfFile: "\(folder)/\(name)", encoding: .utf8).split(separator: "\n")
            let command = try #require(lines.first { $0.hasPrefix("ExecStart=") }, "\(name)")
            _ = try Program.parseAsRoot(command.split(separator: " ").dropFirst().map(String.init))
        }
    }

    @Test(
        "Wrong usage says what to do",
        arguments: [
            (["service", "a.db"], "Name the replica of a.db"),
            (["standby", "a", "b", "c"], "one database and one replica"),
            (["service", "-config", "c", "a", "b"], "exclude each other"),
            (["service", "-port", "65536"], "0 to 65535"),
            (["service", "-port", "x"], "'x'"), (["standby", "-log-level", "loud"], "'loud'"),
            (["standby", "-no-replication"], "no-replication"), (["switchover"], "--to"),
            (["switchover", "-to", ""], "must name a node"), (["cluster", "adopt"], "Nothing was changed"),
            (["cluster", "repair", "-yes"], "one of -recreate-lease and -reseed"),
            (["cluster", "repair", "-reseed", "-recreate-lease", "-yes"], "one of -recreate-lease and -reseed"),
            (["cluster", "repair", "-reseed"], "Stop all nodes, then give -yes"), (["cluster", "bogus"], "bogus"),
            (["cluster", "plan"], "--a"), (["cluster", "plan", "-a", "x", "-b", "y"], "--store-a"),
            (["cluster", "status", "a.db"], "Name the replica"), (["promote", "now"], "now"),
            (["witness"], "--data"), (["witness", "-data", "w", "-key", "k"], "belong together"),
            (["witness", "-data", "w", "-listen", "3001"], "HOST:PORT"), (["witness", "status"], "<url>"),
            (["witness", "-data", "w", "-token-file", "t", "-token-env", "T"], "exclude each other"),
        ]
    )
    func refused(_ arguments: [String], _ words: String) throws {
        let error = try #require(throws: (any Error).self) { _ = try Program.parseAsRoot(arguments) }
        #expect(Program.message(for: error).contains(words), "\(Program.message(for: error))")
    }

    @Test("Every error has the exit code that help tells of")
    func exitCodes() {
        #expect(NodeExit.code(of: ConfigurationError(.syntax, "")) == 2)
        #expect(NodeExit.code(of: NodeCommandError(.failed, "")) == 1)
        #expect(NodeExit.code(of: NodeCommandError(.unfitStore, "")) == 3)
        #expect(NodeExit.code(of: NodeError.unfitStore("")) == 3)
        #expect(NodeExit.code(of: NodeCommandError(.refused, "")) == 4)
        #expect(NodeExit.code(of: NodeCommandError(.needsOperator, "")) == 5)
        #expect(NodeExit.code(of: CancellationError()) == 1)
        let help = Program.helpMessage(for: ClusterInitCommand.self).split(whereSeparator: \.isWhitespace)
        #expect(help.joined(separator: " ").contains("3 the store cannot fence; 4 refused in this role"))
    }
}
