import Foundation
import SystemPackage

#if canImport(Darwin)
    import Darwin
#elseif canImport(Glibc)
    import Glibc
#endif

/// All that a new process needs.
struct SpawnRequest {
    var executable: FilePath
    var arguments: [String]
    var environment: [String: String]
    var directory: FilePath?
    /// Standard input; `nil` is the null device.
    var input: FileDescriptor?
    var output: FileDescriptor
    var error: FileDescriptor
}

/// Starts a process that inherits its three standard streams and nothing else: no other descriptors, no blocked or
/// ignored signals.
func spawn(_ request: SpawnRequest) throws -> Int32 {
    // SAFETY: plain storage that the calls below fill.
    var actions = unsafe posix_spawn_file_actions_t()
    var attributes = posix_spawnattr_t()
    // SAFETY: both are initialised by these calls, destroyed on every way out, and outlive all calls in between.
    unsafe posix_spawn_file_actions_init(&actions)
    defer { unsafe posix_spawn_file_actions_destroy(&actions) }
    unsafe posix_spawnattr_init(&attributes)
    defer { unsafe posix_spawnattr_destroy(&attributes) }

    if let input = request.input {
        unsafe posix_spawn_file_actions_adddup2(&actions, input.rawValue, 0)
    } else {
        unsafe posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
    }
    unsafe posix_spawn_file_actions_adddup2(&actions, request.output.rawValue, 1)
    unsafe posix_spawn_file_actions_adddup2(&actions, request.error.rawValue, 2)
    #if canImport(Glibc)
        unsafe try closeFrom(3, with: &actions)
        let flags = POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF
    #else
        let flags = Int32(POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_CLOEXEC_DEFAULT)
    #endif

    // SAFETY: signal sets and attributes are plain storage that these calls fill.
    var signals = sigset_t()
    unsafe sigemptyset(&signals)
    unsafe posix_spawnattr_setsigmask(&attributes, &signals)
    for signal in [SIGINT, SIGTERM, SIGPIPE, SIGHUP, SIGUSR1, SIGUSR2] { unsafe sigaddset(&signals, signal) }
    unsafe posix_spawnattr_setsigdefault(&attributes, &signals)
    unsafe posix_spawnattr_setflags(&attributes, Int16(flags))

    let environment = request.environment.map { "\($0.key)=\($0.value)" }
    // `env` changes the folder: the call that would do it here is not declared on every platform.
    let command = (request.directory.map { ["env", "-C", $0.string] } ?? []) + [request.executable.string]
    var processID: pid_t = 0
    // SAFETY: the vectors are null-terminated copies that live until the call returns, after which the child has its own.
    let result = unsafe withCStringVector(command + request.arguments) { arguments in
        unsafe withCStringVector(environment) { environment in
            unsafe posix_spawnp(&processID, command[0], &actions, &attributes, arguments, environment)
        }
    }
    guard result == 0 else {
        throw TestSupportError("'\(request.executable)' cannot be started: \(Errno(rawValue: result)).")
    }
    return processID
}

#if canImport(Glibc)
    /// Has the child close all descriptors from `first` on.
    ///
    /// The C library has the call, but declares it only with its GNU extensions, which Swift does not see.
    private func closeFrom(_ first: Int32, with actions: UnsafeMutablePointer<posix_spawn_file_actions_t>) throws {
        typealias Function = @convention(c) (UnsafeMutablePointer<posix_spawn_file_actions_t>, Int32) -> Int32
        // SAFETY: the symbol of this name has this signature, in every C library that has it.
        guard let symbol = unsafe dlsym(nil, "posix_spawn_file_actions_addclosefrom_np") else {
            throw TestSupportError(
                "The C library is too old to start programs without inheriting files: 2.34 is needed."
            )
        }
        _ = unsafe unsafeBitCast(symbol, to: Function.self)(actions, first)
    }
#endif

/// Calls `body` with a null-terminated vector of C strings that lives as long as the call.
private func withCStringVector<Result>(
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
