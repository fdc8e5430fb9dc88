import ArgumentParser
import SQLiteReplicate
import SystemPackage

/// `demo-node`: a node of the demonstration; `demo` starts them.
struct DemoNodeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "demo-node", shouldDisplay: false)

    @Option var name: String
    @Option var folder: String
    @Option var ttlMs: Int
    @Flag var begins = false
    @Option var port: Int?

    func validate() throws {
        guard (300...60_000).contains(ttlMs) else { throw ValidationError("--ttl-ms lies between 300 and 60000.") }
    }

    func run() async throws {
        let logger = try LogSettings.quietLogger()
        let node = DemoNode(
            name: name,
            folder: FilePath(folder),
            begins: begins,
            ttl: .milliseconds(ttlMs),
            port: port
        )
        try await StopSignals.shutDownGracefully(logger: logger) {
            try await node.run(logger: logger) { StandardStreams.output($0 + "\n") }
        }
    }
}
