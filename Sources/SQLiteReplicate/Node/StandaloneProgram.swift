import Logging
import ServiceLifecycle

/// The program of `exec` where `service` runs without a cluster: it is started again when it ends, as on a primary.
struct StandaloneProgram: Service {
    let command: ProgramCommand
    let replication: ReplicationService?
    let logger: Logger

    func run() async throws {
        var pause = Duration.milliseconds(250)
        while !Task.isCancelled, !Task.isShuttingDownGracefully {
            let began = ContinuousClock.now
            do {
                try await AccompanyingProgram(command, of: replication, logger: logger).run()
            } catch let error as ProgramError {
                logger.error("The program could not be started", metadata: ["error": "\(error)"])
            }
            pause = ContinuousClock.now - began > .seconds(10) ? .milliseconds(250) : min(pause * 2, .seconds(10))
            await ShutdownAwareTimer.wait(pause)
        }
    }
}
