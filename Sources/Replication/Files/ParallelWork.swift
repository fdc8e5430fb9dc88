import Dispatch

/// Work that is cut into parts for several cores.
///
/// Serial queues are used on purpose: Dispatch's pool of shared workers, once in use on Linux, wakes the process every
/// second for as long as it lives.
enum ParallelWork {
    private static let helpers = (0..<3).map { DispatchQueue(label: "compress-\($0)") }

    /// Runs `body` for `0 ..< count` side by side, and returns when all of them are done. Blocks.
    static func perform(_ count: Int, _ body: @escaping @Sendable (Int) -> Void) {
        let group = DispatchGroup()
        for index in 1..<max(1, count) {
            helpers[(index - 1) % helpers.count].async(group: group) { body(index) }
        }
        if count > 0 { body(0) }
        group.wait()
    }
}
