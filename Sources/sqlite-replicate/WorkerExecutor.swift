import CConcurrency
import ObjectStorage

/// Runs the program's tasks on a few threads of its own.
///
/// Swift's own pool sits on Dispatch's shared workers, and once those are in use on Linux a monitor wakes the process
/// every second for as long as it lives. A quiet database is to cost nothing.
final class WorkerExecutor: TaskExecutor {
    /// The program's executor; its threads live as long as the process.
    static let shared = WorkerExecutor()

    private let threads = WorkerThreads(count: 2)

    private init() {}

    func enqueue(_ job: consuming ExecutorJob) { run(UnownedJob(job)) }

    private func run(_ job: UnownedJob) {
        threads.submit { unsafe job.runSynchronously(on: self.asUnownedTaskExecutor()) }
    }

    /// Takes over the jobs that would go to Swift's own pool, too: unstructured tasks do not inherit a task executor
    /// preference, and the HTTP client begins one for each request.
    ///
    /// Where the concurrency runtime does not allow it the program works as well, and is woken once a second. To be
    /// called once, before the first such task.
    func takeTasksWithoutPreference() {
        _ = unsafe cconcurrency_take_global_jobs { job in
            guard let job = unsafe job else { return }
            WorkerExecutor.shared.run(unsafe unsafeBitCast(job, to: UnownedJob.self))
        }
    }
}
