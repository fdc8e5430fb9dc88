/// How a process ended, and what it used.
public struct ProcessExit: Sendable, CustomStringConvertible {
    /// The way a process ended.
    public enum Status: Hashable, Sendable {
        /// It called `exit` with this code.
        case code(Int32)
        /// It was ended by this signal.
        case signal(Int32)
    }

    /// How it ended.
    public let status: Status
    /// CPU seconds of the process and its awaited children, in user and in system mode together.
    public let cpuSeconds: Double
    /// The largest resident size it had, in bytes.
    public let peakResidentBytes: Int64

    /// Whether it exited with code 0.
    public var isSuccess: Bool { status == .code(0) }

    /// What a shell shows as `$?`: the code, or 128 plus the signal.
    public var shellCode: Int32 {
        switch status {
        case .code(let code): code
        case .signal(let signal): 128 + signal
        }
    }

    public var description: String {
        switch status {
        case .code(let code): "exit code \(code)"
        case .signal(let signal): "ended by signal \(signal)"
        }
    }

    /// Reads the status word and the usage that `wait4` gives.
    init(waitStatus: Int32, cpuSeconds: Double, peakResidentBytes: Int64) {
        let signal = waitStatus & 0x7f
        status = signal == 0 ? .code((waitStatus >> 8) & 0xff) : .signal(signal)
        self.cpuSeconds = cpuSeconds
        self.peakResidentBytes = peakResidentBytes
    }
}
