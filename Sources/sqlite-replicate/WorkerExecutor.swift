import NIOPosix

/// Runs the program's tasks on a few threads of its own.
///
/// Swift's own pool sits on Dispatch's shared workers, and once those are in use on Linux a monitor wakes the process
/// every second for as long as it lives. A quiet database is to cost nothing.
final class WorkerExecutor: TaskExecutor {
    /// The program's executor; its threads live as long as the process.
    static let shared = WorkerExecutor()

    private let pool = NIOThreadPool(numberOfThreads: 2)

    private init() { pool.start() }

    func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        pool.submit { _ in unsafe job.runSynchronously(on: self.asUnownedTaskExecutor()) }
    }
}
