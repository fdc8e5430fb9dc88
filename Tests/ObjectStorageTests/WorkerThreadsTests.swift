import Dispatch
import Synchronization
import TestSupport
import Testing

@testable import ObjectStorage

@Suite("Worker threads") struct WorkerThreadsTests {
    @Test("Every job runs once, whoever submits how many at once")
    func all() async {
        let threads = WorkerThreads(count: 3)
        let counts = Shared([Int](repeating: 0, count: 6000))
        await withTaskGroup(of: Void.self) { group in
            for part in 0..<6 {
                group.addTask {
                    for number in part * 1000..<(part + 1) * 1000 {
                        await Self.run(on: threads, isNested: number.isMultiple(of: 3)) {
                            counts.value.withLock { $0[number] += 1 }
                        }
                    }
                }
            }
        }
        #expect(counts.value.withLock { counts in counts.allSatisfy { $0 == 1 } })
    }

    /// Runs a job and waits for its end; a nested one is submitted by another job.
    private static func run(
        on threads: WorkerThreads,
        isNested: Bool = false,
        _ job: @escaping WorkerThreads.Job
    ) async {
        await withCheckedContinuation { continuation in
            let whole: WorkerThreads.Job = {
                job()
                continuation.resume()
            }
            if isNested { threads.submit { threads.submit(whole) } } else { threads.submit(whole) }
        }
    }

    @Test("Jobs that block hold up no others as long as a thread is left")
    func blocked() async {
        let threads = WorkerThreads(count: 3)
        let gate = DispatchSemaphore(value: 0)
        for _ in 0..<2 { threads.submit { gate.wait() } }
        for _ in 0..<100 { await Self.run(on: threads) {} }
        for _ in 0..<2 { gate.signal() }
    }

    @Test("No more jobs run at a time than there are threads, and as many do")
    func limit() async {
        let threads = WorkerThreads(count: 4)
        let state = Shared((running: 0, most: 0))
        // Four that wait for each other run at the same time; eight more never make it five.
        let together = DispatchSemaphore(value: 0)
        await withTaskGroup(of: Void.self) { group in
            for _ in 0..<12 {
                group.addTask {
                    await Self.run(on: threads) {
                        let running = state.value.withLock { state in
                            state.running += 1
                            state.most = max(state.most, state.running)
                            return state.running
                        }
                        if running == 4 { for _ in 0..<12 { together.signal() } }
                        together.wait()
                        state.value.withLock { $0.running -= 1 }
                    }
                }
            }
        }
        #expect(state.value.withLock(\.most) == 4)
    }
}

/// A value that tasks share.
private final class Shared<Value: Sendable>: Sendable {
    let value: Mutex<Value>

    init(_ value: Value) { self.value = Mutex(value) }
}
