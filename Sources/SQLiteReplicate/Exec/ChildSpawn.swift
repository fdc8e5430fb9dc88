import CProcess
import SystemPackage

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// How a child process is started: in a process group of its own, with three standard streams and nothing else of this
/// process's: no other descriptors, no blocked or ignored signals.
struct ChildSpawn {
    /// What to run; a name without a slash is looked up in `PATH`.
    var command: ProgramCommand
    /// The file to run, where it is not the command's first word.
    var file: FilePath?
    /// All variables of its environment.
    var environment: [String: String]
    /// Its standard input; `nil`: an empty one.
    var input: Int32?
    /// Its standard output and error; `nil`: this process's.
    var output: Int32?

    /// Starts it.
    ///
    /// - Throws: ``ProgramError`` with code `notStarted`.
    func start() throws(ProgramError) -> pid_t {
        // SAFETY: plain storage that the calls below fill.
        var actions = unsafe posix_spawn_file_actions_t()
        var attributes = posix_spawnattr_t()
        // SAFETY: both are initialised by these calls, destroyed on every way out, and outlive all calls in between.
        unsafe posix_spawn_file_actions_init(&actions)
        defer { unsafe posix_spawn_file_actions_destroy(&actions) }
        unsafe posix_spawnattr_init(&attributes)
        defer { unsafe posix_spawnattr_destroy(&attributes) }

        if let input {
            unsafe posix_spawn_file_actions_adddup2(&actions, input, 0)
        } else {
            unsafe posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
        }
        if let output {
            unsafe posix_spawn_file_actions_adddup2(&actions, output, 1)
            unsafe posix_spawn_file_actions_adddup2(&actions, output, 2)
        }
        // SAFETY: signal sets and attributes are plain storage that these calls fill.
        var signals = sigset_t()
        unsafe sigemptyset(&signals)
        unsafe posix_spawnattr_setsigmask(&attributes, &signals)
        for signal in [SIGINT, SIGTERM, SIGPIPE, SIGHUP, SIGQUIT, SIGCHLD, SIGUSR1, SIGUSR2] {
            unsafe sigaddset(&signals, signal)
        }
        unsafe posix_spawnattr_setsigdefault(&attributes, &signals)
        unsafe posix_spawnattr_setpgroup(&attributes, 0)
        let flags = Int32(POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP)
        unsafe posix_spawnattr_setflags(&attributes, Int16(flags))
        guard unsafe cprocess_inherit_streams_only(&actions, &attributes) == 0 else { throw failure(errno) }

        var child: pid_t = 0
        let variables = environment.map { "\($0.key)=\($0.value)" }
        // SAFETY: the vectors are null-terminated copies that live until the call returns.
        let result = unsafe withCStrings(command.words) { words in
            unsafe withCStrings(variables) { variables in
                unsafe posix_spawnp(&child, file?.string ?? command.words[0], &actions, &attributes, words, variables)
            }
        }
        guard result == 0 else { throw failure(result) }
        return child
    }

    private func failure(_ code: Int32) -> ProgramError {
        ProgramError(.notStarted, "'\(file?.string ?? command.words[0])' cannot be started: \(Errno(rawValue: code)).")
    }
}

/// Calls `body` with a null-terminated vector of C strings that lives as long as the call.
private func withCStrings<Result>(
    _ strings: [String],
    _ body: (UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>) -> Result
) -> Result {
    // SAFETY: each copy is freed below, after the only use of the vector; the vector ends in nil.
    var vector: [UnsafeMutablePointer<CChar>?] = unsafe strings.map { unsafe strdup($0) } + [nil]
    defer { unsafe vector.forEach { unsafe free($0) } }
    return unsafe vector.withUnsafeMutableBufferPointer { buffer in
        guard let base = buffer.baseAddress else { preconditionFailure("a vector of C strings ends in nil") }
        return unsafe body(base)
    }
}
