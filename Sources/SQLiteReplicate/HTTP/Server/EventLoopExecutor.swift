import NIOCore

/// Runs a connection's task on the connection's event loop, where its bytes come in and leave.
///
/// On other threads each request would cost two changes of thread, and would wait behind, and hold up, whatever else the
/// process does: a thousand health checks a second are not to delay what is shipped. Nothing that blocks or computes for
/// long may run here.
final class EventLoopExecutor: TaskExecutor {
    private let loop: any EventLoop

    /// - Parameter loop: Where the jobs run, in the order in which they come.
    init(_ loop: any EventLoop) { self.loop = loop }

    func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        loop.execute { unsafe job.runSynchronously(on: self.asUnownedTaskExecutor()) }
    }
}
