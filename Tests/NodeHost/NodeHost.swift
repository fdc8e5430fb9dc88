import Cluster
import Foundation
import Logging
import ServiceLifecycle
import SystemPackage
import TestDatabases
import TestSupport
import UnixSignals

#if canImport(Darwin)
    import Darwin
#elseif canImport(Glibc)
    import Glibc
#endif

/// A node of a cluster in a process of its own, with an application that writes in this very process, for tests that
/// kill, stop, cut off and switch it.
///
///     node-host DB store=PLACE name=NAME [KEY=VALUE ...]     a node; the keys are those of HostOptions
///     node-host check DB JOURNAL...                          what a database and the nodes' journals prove
///     node-host tails DB store=PLACE out=FOLDER              makes a database of each tail that was kept
///     node-host bench-gate FOLDER [COMMITS]                  what the gate costs an ordinary commit
///     node-host bench-apply FOLDER [MIB] [FILES]             what applying files of one page costs a follower
///     node-host bench-replicated DB store=PLACE create=1     how fast commits are that wait for the store
///
/// Each event is a line: `role NAME epoch=E t=NS`, `first-write n=N epoch=E t=NS`, `write-refused t=NS REASON`,
/// `write-failed`, `replicate-failed`, `rewound`, `reader-fault`, `ended`. Times are nanoseconds since the boot. Commands
/// are lines on standard input, answered by one line that begins with the command: `status`, `sync`, `write on|off`,
/// `switchover NAME`, `promote`, `promote-down ANSWERS`, `peer-unwell`, `demote`. SIGTERM ends the node in an orderly way;
/// when the input ends the parent is gone, and the process ends at once.
@main
struct NodeHost {
    static func main() async throws {
        // SIGPIPE would end this process before it could tell why; writes tell it.
        signal(SIGPIPE, SIG_IGN)
        let arguments = Array(CommandLine.arguments.dropFirst())
        switch arguments.first {
        case "check": try check(Array(arguments.dropFirst()))
        case "tails": try await HostTails.export(HostOptions(Array(arguments.dropFirst())))
        case "bench-replicated": try await ReplicatedBenchmark.run(HostOptions(Array(arguments.dropFirst())))
        case "bench-apply": try ApplyBenchmark.run(Array(arguments.dropFirst()))
        case "bench-gate": try GateBenchmark.run(Array(arguments.dropFirst()))
        default: try await runNode(HostOptions(arguments))
        }
    }

    private static func check(_ arguments: [String]) throws {
        guard let database = arguments.first else {
            throw TestSupportError("usage: node-host check DB JOURNAL...")
        }
        let journals = try arguments.dropFirst().map { try ProofJournal(FilePath($0)) }
        let check = try ProofCheck(FilePath(database), journals: journals)
        say("\(check)")
        exit(check.isProven ? 0 : 1)
    }

    private static func runNode(_ options: HostOptions) async throws {
        LoggingSystem.bootstrap { StreamLogHandler.standardError(label: $0) }
        let logger = logger(options)
        if options.creates { try create(options.database) }
        let commands = HostCommands()
        let journal = try options.journal.map { try ProofJournalWriter($0) }
        let node = try makeNode(options, logger: logger)
        let asker = ReplicatedAsker(journal: journal, timeout: options.replicateTimeout)
        let writer = ProofWriter(options, gate: node.gate, journal: journal) { asker.ask($0) }
        let reader = ProofReader(options.database)
        writer.start()
        if options.reads { reader.start() }
        let host = RunningHost(node: node, writer: writer, reader: reader, asker: asker)
        let services = try services(around: node, options, logger: logger)
        await withTaskGroup(of: Void.self) { group in
            group.addTask { await asker.run(node) }
            group.addTask { await host.watchRoles() }
            group.addTask { await host.obey(commands) }
            group.addTask {
                do {
                    let group = ServiceGroup(services: services, gracefulShutdownSignals: [.sigterm], logger: logger)
                    try await group.run()
                    host.end("ended", code: 0)
                } catch {
                    host.end("node-failed \(error)", code: 1)
                }
            }
            await group.waitForAll()
        }
    }

    private static func logger(_ options: HostOptions) -> Logger {
        var logger = Logger(label: options.name)
        logger.logLevel = options.logLevel
        return logger
    }

    static func create(_ path: FilePath) throws {
        guard !FileManager.default.fileExists(atPath: path.string) else { return }
        let file = try SQLiteFile(path, .init(autocheckpoint: 0))
        defer { file.close() }
        try file.execute("PRAGMA journal_mode = WAL; \(ProofRow.table)")
    }
}

/// The parts of a host that runs.
struct RunningHost {
    let node: any HostedNode
    let writer: ProofWriter
    let reader: ProofReader
    let asker: ReplicatedAsker

    /// Tells the writer when it may try, and the parent what the node is.
    func watchRoles() async {
        for await role in node.roleChanges {
            let epoch = await node.status().epoch
            writer.set(epoch: role == .primary ? Int64(clamping: epoch.rawValue) : nil)
            say("role \(role.rawValue) epoch=\(epoch.rawValue) t=\(BootClock.now)")
        }
    }

    /// Obeys the lines of standard input.
    func obey(_ commands: HostCommands) async {
        for await line in commands.stream {
            let words = line.split(separator: " ").map(String.init)
            switch (words.first ?? "", words.count) {
            case ("status", 1): say("status \(await statusText())")
            case ("write", 2):
                await writer.set(isOn: words[1] == "on")
                say("write \(words[1])")
            case ("sync", 1): await sync()
            case ("switchover", 2):
                guard let other = await node.node(named: words[1]) else {
                    say("switchover failed: no node '\(words[1])'")
                    continue
                }
                await perform(.switchover(to: other), "switchover")
            case ("promote-down", 1...2):
                let answers = words.count > 1 ? words[1].split(separator: ",") : []
                let confirmed = Set(answers.compactMap { PairQuestion(rawValue: String($0)) })
                await perform(.promotePeerIsDown(confirmed), "promote-down")
            case ("peer-unwell", 1):
                await node.notePeerHealth(isGood: false)
                say("peer-unwell done")
            case ("promote", 1): await perform(.promote(acceptLoss: false), "promote")
            case ("demote", 1): await perform(.demote, "demote")
            default: say("\(line) failed: no such command")
            }
        }
    }

    /// Waits until the store holds everything that is committed by now.
    private func sync() async {
        do {
            try await node.waitForStore(timeout: .seconds(60))
            say("sync done position=\(await node.status().position)")
        } catch {
            say("sync failed: \(error)")
        }
    }

    private func perform(_ command: NodeCommand, _ name: String) async {
        do throws(NodeCommandError) {
            try await node.perform(command)
            say("\(name) done t=\(BootClock.now)")
        } catch {
            say("\(name) failed: \(error.code) \(error.message)")
        }
    }

    private func statusText() async -> String {
        let status = await node.status()
        let (commits, refusals) = writer.counts
        let (reads, lastRow) = reader.counts
        let (acknowledged, failed) = asker.counts
        let isEligible = status.lease?.eligible.contains(status.node) ?? false
        return """
            role=\(status.role.rawValue) epoch=\(status.epoch.rawValue) writable=\(status.isWritable ? 1 : 0) \
            eligible=\(isEligible ? 1 : 0) holder=\(status.lease?.name ?? "none") \
            members=\(status.lease?.eligible.count ?? 0) \
            position=\(status.position) lag=\(status.lagTransactions) tails=\(status.unacknowledgedTails) \
            commits=\(commits) refusals=\(refusals) reads=\(reads) row=\(lastRow) acknowledged=\(acknowledged) \
            unacknowledged=\(failed) t=\(BootClock.now) degraded=\(status.degradations.joined(separator: "; ")) \
            failure=\(status.failure ?? "")
            """
    }

    /// Ends the process.
    func end(_ line: String, code: Int32) -> Never {
        writer.stop()
        say("\(line) t=\(BootClock.now)")
        exit(code)
    }
}
