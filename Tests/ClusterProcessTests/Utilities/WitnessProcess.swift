import SystemPackage
import TestSupport

/// The witness as a program of its own.
final class WitnessProcess {
    /// Where it answers.
    let url: String
    private let process: ChildProcess

    private init(url: String, process: ChildProcess) { (self.url, self.process) = (url, process) }

    /// Starts one, with its file in a folder.
    static func start(in folder: FilePath) async throws -> WitnessProcess {
        let port = try await freePort()
        let process = try ChildProcess(
            BuiltProduct.path(of: "sqlite-replicate"),
            ["witness", "-data", folder.appending("witness.db").string, "-listen", "127.0.0.1:\(port)"]
        )
        try await process.waitForOutput(containing: "Witness listens")
        return WitnessProcess(url: "http://127.0.0.1:\(port)", process: process)
    }

    /// Ends it.
    func stop() async throws { try await process.kill() }
}
