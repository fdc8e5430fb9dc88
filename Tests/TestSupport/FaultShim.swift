import Foundation
public import SystemPackage

/// A library, loaded before all others into a child process, that makes chosen system calls fail, wait or kill.
///
/// ```swift
/// let shim = try await FaultShim(in: folder)
/// try shim.set([.init(.error("ENOSPC"), at: 3, pathPrefixes: [metadataFolder])])
/// let child = try ChildProcess(program, arguments, environment: shim.environment)
/// ```
///
/// Rules can be changed while the child runs. Each rule counts the calls that match it, in all processes that share this
/// shim, also after a restart. Calls that go to the kernel without the C library (there are none in SQLite or Swift) and
/// those of statically linked programs are not seen. Linux only.
public struct FaultShim: Sendable {
    /// The folder for the control file, the counters and the log.
    public let folder: FilePath
    private let library: FilePath

    /// Builds the library if that is needed, and prepares a folder with no rule in force.
    ///
    /// - Parameter folder: An existing folder that this shim alone uses; its path has no space in it.
    public init(in folder: FilePath) async throws {
        try await ChildProcess.run(PackageRoot.appending("scripts/build-shim.sh")).checked()
        library = PackageRoot.appending(".build-tools/libfaultshim.so")
        self.folder = folder
        try set([])
    }

    /// The variables that load the shim into a child.
    public var environment: [String: String?] {
        [
            "LD_PRELOAD": library.string,
            "FAULTSHIM_CONTROL": control.string,
            "FAULTSHIM_COUNTS": counters.string,
            "FAULTSHIM_LOG": folder.appending("shim.log").string,
        ]
    }

    /// The variables that load the shim into a child whose clock on the wall is off.
    ///
    /// - Parameter seconds: How far it is ahead.
    public func environment(clockAheadBy seconds: Int) -> [String: String?] {
        environment.merging(["FAULTSHIM_CLOCK": "\(seconds)"]) { $1 }
    }

    private var control: FilePath { folder.appending("shim.rules") }
    private var counters: FilePath { folder.appending("shim.counts") }

    /// Puts these rules in force, at most eight, instead of those before; all begin to count at zero.
    ///
    /// A process looks at the rules at each call that the shim sees, so the change takes effect at its next one.
    public func set(_ rules: [Rule]) throws {
        precondition(rules.count <= Self.ruleLimit, "a shim has at most \(Self.ruleLimit) rules")
        try write([])  // No rule of before counts, or fires, while the counters go back to zero.
        try resetCounters()
        if !rules.isEmpty { try write(rules) }
    }

    private func write(_ rules: [Rule]) throws {
        let text = rules.map { $0.line + "\n" }.joined()
        try text.write(toFile: control.string, atomically: true, encoding: .utf8)
    }

    /// What a rule has seen and done.
    public struct Counter: Hashable, Sendable {
        /// Calls that matched it.
        public let matching: UInt64
        /// Calls at which its fault took place.
        public let injected: UInt64

        /// Creates a counter from its numbers.
        public init(matching: UInt64, injected: UInt64) { (self.matching, self.injected) = (matching, injected) }
    }

    /// The counters of the rules, in their order.
    public func counts() throws -> [Counter] {
        let data = try Data(contentsOf: URL(filePath: counters.string))
        let words = (0..<Self.ruleLimit * 2).map { word in
            (0..<8).reversed().reduce(UInt64(0)) { $0 << 8 | UInt64(data[word * 8 + $1]) }
        }
        return (0..<Self.ruleLimit).map { Counter(matching: words[$0 * 2], injected: words[$0 * 2 + 1]) }
    }

    /// Sets all counters to zero, for running processes too.
    private func resetCounters() throws {
        // Written in place: running processes have the file mapped.
        let file = try FileDescriptor.open(
            counters,
            .writeOnly,
            options: [.create, .closeOnExec],
            permissions: .ownerReadWrite
        )
        try file.closeAfter {
            _ = try file.writeAll(toAbsoluteOffset: 0, [UInt8](repeating: 0, count: Self.ruleLimit * 16))
        }
    }

    /// One line for each call that matched a rule: number, rule, call, path, thread, fault.
    public func log() throws -> [String] {
        let text = try? String(contentsOfFile: folder.appending("shim.log").string, encoding: .utf8)
        return (text ?? "").split(separator: "\n").map(String.init)
    }

    static let ruleLimit = 8
}

extension FaultShim {
    /// What is done to which calls.
    public struct Rule: Sendable {
        /// What happens at a chosen call.
        public enum Fault: Sendable {
            /// Nothing: calls are counted.
            case count
            /// The call is not made and fails with this error, such as `ENOSPC` or `EIO`.
            case error(String)
            /// A write writes half of its bytes and says so.
            case short
            /// A write writes half of its bytes, then fails with this error.
            case torn(String)
            /// The call waits before it is made.
            case delay(milliseconds: Int)
            /// The process is killed (SIGKILL) before the call is made.
            case killBefore
            /// The process is killed (SIGKILL) after the call was made.
            case killAfter
            /// The process is stopped (SIGSTOP) before the call is made; SIGCONT lets it go on.
            case stop
            /// The calling thread waits while the file `gate` exists; `gate.here` is created when it begins to.
            case hold(gate: FilePath)
        }

        /// What happens.
        public var fault: Fault
        /// The first matching call at which it happens, counted from one.
        public var at: UInt64
        /// At how many matching calls in a row it happens; 0 is for ever.
        public var count: UInt64
        /// The calls it is about, by the names in ``allCalls``, or `munmap`; empty means ``allCalls``.
        public var calls: [String]
        /// Beginnings of absolute paths, of which one must fit; empty means any path.
        public var pathPrefixes: [FilePath]
        /// Ends of paths, of which one must fit, such as `-wal`; empty means any.
        public var pathSuffixes: [String]
        /// Beginnings of thread names, of which one must fit; empty means any thread.
        public var threads: [String]
        /// Beginnings of the names of threads that are left alone.
        public var exceptThreads: [String]
        /// `true`: only the process's main thread; `false`: all but that; `nil`: all.
        public var mainThread: Bool?

        /// Creates a rule; see the properties.
        public init(
            _ fault: Fault,
            at: UInt64 = 1,
            count: UInt64 = 1,
            calls: [String] = [],
            pathPrefixes: [FilePath] = [],
            pathSuffixes: [String] = [],
            threads: [String] = [],
            exceptThreads: [String] = [],
            mainThread: Bool? = nil
        ) {
            (self.fault, self.at, self.count, self.calls) = (fault, at, count, calls)
            (self.pathPrefixes, self.pathSuffixes) = (pathPrefixes, pathSuffixes)
            (self.threads, self.exceptThreads, self.mainThread) = (threads, exceptThreads, mainThread)
        }

        /// Every kind of call that changes files. `write` stands for all its forms (`pwrite`, `writev`, …), `open` for
        /// opening a file that this creates, `rename`, `link`, `mkdir` and `unlink` for their `…at` forms too.
        public static let allCalls = [
            "write", "fsync", "fdatasync", "ftruncate", "fallocate", "rename", "link", "open", "mkdir", "unlink",
            "copy_file_range",
        ]

        /// The rule in the words of the control file.
        var line: String {
            var words: [String] = []
            switch fault {
            case .count: words.append("fault=count")
            case .error(let name): words.append("fault=error errno=\(name)")
            case .short: words.append("fault=short")
            case .torn(let name): words.append("fault=torn errno=\(name)")
            case .delay(let milliseconds): words.append("fault=delay ms=\(milliseconds)")
            case .killBefore: words.append("fault=kill")
            case .killAfter: words.append("fault=kill when=after")
            case .stop: words.append("fault=stop")
            case .hold(let gate): words.append("fault=hold gate=\(gate)")
            }
            words.append("at=\(at) count=\(count)")
            let lists = [
                ("calls", calls), ("path", pathPrefixes.map(\.string)), ("suffix", pathSuffixes), ("thread", threads),
                ("notthread", exceptThreads), ("tid", mainThread.map { [$0 ? "main" : "other"] } ?? []),
            ]
            for (name, values) in lists where !values.isEmpty {
                words.append("\(name)=\(values.joined(separator: ","))")
            }
            return words.joined(separator: " ")
        }
    }
}
