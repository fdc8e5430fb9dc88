import NIOPosix

/// Runs the long reads, writes and merges of all databases in this process, two at a time; the others wait without a
/// thread.
///
/// Many databases found at once must not start as many copies at once.
final class CopyLanes: Sendable {
    /// The lanes that all engines of this process share.
    static let shared = CopyLanes(count: 2)
    /// Lanes for the closing of captures, which must not wait behind a long copy.
    static let closing = CopyLanes(count: 2)

    private let threads: NIOThreadPool

    /// Makes lanes for `count` works at a time.
    init(count: Int) {
        threads = NIOThreadPool(numberOfThreads: count)
        threads.start()
    }

    /// Runs `work` as soon as a lane is free.
    func submit(_ work: @escaping @Sendable () -> Void) {
        threads.submit { _ in work() }
    }
}
