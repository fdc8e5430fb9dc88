import Synchronization

/// The memory that the open captures of all engines in this process take together.
///
/// Past the bound each engine that captures moves its images to a spill file early, so that a hundred busy databases
/// do not need a hundred times the memory of one (capture-review H1).
enum CaptureMemory {
    /// The bound in bytes.
    static let limit = 64 << 20
    /// What one engine may keep even then: smaller spill files are not worth their cost.
    static let minimum = 512 << 10

    private static let used = Atomic(0)

    /// Whether all together take more than the bound.
    static var isExceeded: Bool { used.load(ordering: .relaxed) > limit }

    /// Notes that memory was taken, or given back with a negative number.
    static func add(_ byteCount: Int) { used.add(byteCount, ordering: .relaxed) }
}
