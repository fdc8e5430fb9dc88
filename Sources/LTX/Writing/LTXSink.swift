/// Where a transaction file is written to: a file, a buffer, or nothing.
///
/// A writer appends some hundred KiB at a time and replaces the first 100 bytes once, at its end. Calls come one after
/// another, on the thread that calls the writer; they may block.
public protocol LTXSink {
    /// Appends all of `bytes`.
    mutating func write(_ bytes: RawSpan) throws

    /// Replaces what stands at the start; `bytes` is not longer than what was written.
    mutating func replaceStart(_ bytes: RawSpan) throws
}

/// A sink that keeps the file in memory.
public struct MemorySink: LTXSink, Sendable {
    /// What was written.
    public private(set) var bytes: [UInt8] = []

    /// Creates an empty sink.
    public init() {}

    public mutating func write(_ bytes: RawSpan) {
        // SAFETY: the source is valid during the call, and copied.
        unsafe bytes.withUnsafeBytes { source in unsafe self.bytes.append(contentsOf: source) }
    }

    public mutating func replaceStart(_ bytes: RawSpan) {
        // SAFETY: the slice below checks that the start is there.
        unsafe bytes.withUnsafeBytes { source in
            unsafe self.bytes.withUnsafeMutableBytes { target in
                unsafe UnsafeMutableRawBufferPointer(rebasing: target[..<source.count]).copyMemory(from: source)
            }
        }
    }
}

/// A sink that keeps nothing, for when only the checks and the summary are wanted.
public struct DiscardingSink: LTXSink, Sendable {
    /// Creates a sink.
    public init() {}

    public func write(_ bytes: RawSpan) {}

    public func replaceStart(_ bytes: RawSpan) {}
}
