/// The guard as a process of its own: `sqlite-replicate guard --grace-ms N -- PROGRAM ARGUMENT …`.
///
/// It runs a program as its child, in a process group of its own, for as long as the node feeds it over the guard's
/// standard input (failover-review N16). When it is not fed in time, or the node dies, the program gets SIGTERM and, if it
/// stays, SIGKILL. Signals to the guard are passed on, and the program's exit code is the guard's.
///
/// A program that embeds ``ProgramGuard`` calls ``run(_:)`` at its start, before it makes threads.
public enum GuardProgram {
    /// The first argument by which a program is asked to be a guard.
    public static let argument = "guard"

    /// Is the guard, if the arguments ask for it.
    ///
    /// - Parameter arguments: Those of the process, its own name first.
    /// - Returns: The exit code with which the process must end; `nil` where it is to be something else.
    public static func run(_ arguments: [String]) -> Int32? {
        guard arguments.dropFirst().first == argument else { return nil }
        let words = arguments.dropFirst(2)
        guard words.count >= 4, words[2] == "--grace-ms", let grace = Int64(words[3]), grace >= 0,
            grace <= 86_400_000, words[4] == "--",
            let command = try? ProgramCommand(words: Array(words.dropFirst(3)))
        else {
            GuardLoop.say("this is run by sqlite-replicate itself; see -exec.")
            return 64
        }
        return GuardLoop(command, grace: grace * 1_000_000).run()
    }

    /// The arguments of the guard of a program.
    static func arguments(for command: ProgramCommand, grace: Duration) -> [String] {
        let (seconds, attoseconds) = grace.components
        let milliseconds = min(max(0, seconds), 86_400) * 1000 + max(0, attoseconds) / 1_000_000_000_000_000
        return [argument, "--grace-ms", "\(min(milliseconds, 86_400_000))", "--"] + command.words
    }
}
