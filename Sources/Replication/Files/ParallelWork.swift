import Dispatch
import Synchronization

/// Long work on threads of its own, at most as much side by side as there are lanes.
///
/// Serial queues are used on purpose: Dispatch's pool of shared workers, once in use on Linux, wakes the process every
/// second for as long as it lives.
enum ParallelWork {
    private static let copies = [DispatchQueue(label: "copy-0"), DispatchQueue(label: "copy-1")]
    private static let helpers = (0..<3).map { DispatchQueue(label: "compress-\($0)") }
    private static let next = Atomic(0)

    /// Runs a copy of a database after those that were asked for before, two at a time in this process.
    static func copy(_ body: @escaping @Sendable () -> Void) {
        let lane = next.wrappingAdd(1, ordering: .relaxed).oldValue
        copies[abs(lane % copies.count)].async(execute: body)
    }

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
