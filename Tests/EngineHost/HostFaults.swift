import Foundation
import Replication
import Synchronization
import SystemPackage
import TestSupport

#if canImport(Darwin)
    import Darwin
#elseif canImport(Glibc)
    import Glibc
#endif

/// What happens at the fault points.
final class HostFaults: Sendable {
    private struct State {
        var passings = 0
        var asked = 0
        var random: SeededGenerator
    }

    private let options: HostOptions
    private let commands: Commands
    private let application: HostApplication?
    private let state: Mutex<State>

    init(_ options: HostOptions, commands: Commands, application: HostApplication?) {
        (self.options, self.commands, self.application) = (options, commands, application)
        state = Mutex(State(random: SeededGenerator(seed: options.stretch ?? 0)))
    }

    /// Called on the engine's thread.
    func reached(_ point: FaultPoint) {
        guard options.points.contains(point) else { return }
        let (passing, pause, asks) = state.withLock { state in
            state.passings += 1
            // Mostly short, seldom long.
            let share = Double.random(in: 0..<1, using: &state.random)
            let asks = options.askAt.map { state.passings >= $0 && state.asked < options.asks } ?? false
            if asks { state.asked += 1 }
            return (state.passings, share * share * share * share * 0.03, asks)
        }
        if passing == options.killAt {
            say("killed-at \(point.rawValue)")
            kill(getpid(), SIGKILL)
        }
        if passing == options.stopAt {
            say("stopped-at \(point.rawValue)")
            kill(getpid(), SIGSTOP)
        }
        if options.stretch != nil { usleep(UInt32(pause * 1e6)) }
        if asks {
            say("at \(point.rawValue)")
            commands.waitForGo()
        }
        if point == .afterMove, passing >= options.closeRawAfter ?? .max {
            // What no program should do: it drops the locks of every connection in this process.
            let index = try? FileDescriptor.open(FilePath(options.database.string + "-shm"), .readOnly)
            try? index?.close()
        }
        if let act = options.act, passing.isMultiple(of: 3) { application?.act(act) }
    }
}
