import CProcess
import Dispatch

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// The waiting of an ``AlarmClock``: for a moment, or for a signal before it.
///
/// On Linux the time limits of semaphores and conditions are moments of the clock on the wall: where that is set back by an
/// hour, as a clock that was wrong is, the wait takes an hour longer. So there it is a timer of the clock that nobody sets,
/// which counts while the host sleeps, too.
final class AlarmWait: Sendable {
    /// -1 where the system has no such timer; then `semaphore` does it, whose clock nobody sets either.
    private let timer: Int32
    private let (reading, writing): (Int32, Int32)
    private let semaphore = DispatchSemaphore(value: 0)

    init() {
        let timer = cprocess_timer()
        var ends: [Int32] = [-1, -1]
        // SAFETY: the call fills both elements.
        if timer >= 0, unsafe cprocess_pipe(&ends) == 0 {
            (self.timer, reading, writing) = (timer, ends[0], ends[1])
        } else {
            if timer >= 0 { _ = close(timer) }
            (self.timer, reading, writing) = (-1, -1, -1)
        }
    }

    deinit {
        for descriptor in [timer, reading, writing] where descriptor >= 0 { _ = close(descriptor) }
    }

    /// Ends the wait, or the next one.
    func signal() {
        guard timer >= 0 else { return _ = semaphore.signal() }
        var byte: UInt8 = 1
        // A pipe that is full wakes as well.
        // SAFETY: one byte is read from a local.
        _ = unsafe write(writing, &byte, 1)
    }

    /// Waits until a moment, `nil`: for ever; or until a signal. It may end too early.
    func wait(until moment: ContinuousClock.Instant?) {
        let nanoseconds = moment.map { moment in
            let (seconds, attoseconds) = ContinuousClock.now.duration(to: moment).components
            return max(0, min(seconds, 1 << 32) * 1_000_000_000 + attoseconds / 1_000_000_000)
        }
        guard timer >= 0 else {
            guard let nanoseconds else { return semaphore.wait() }
            return _ = semaphore.wait(timeout: .now() + .nanoseconds(Int(clamping: nanoseconds)))
        }
        _ = cprocess_timer_set(timer, nanoseconds.map { cprocess_now() + $0 } ?? 0)
        var polled = [
            pollfd(fd: timer, events: Int16(POLLIN), revents: 0),
            pollfd(fd: reading, events: Int16(POLLIN), revents: 0),
        ]
        // SAFETY: as many elements as are told.
        _ = unsafe poll(&polled, nfds_t(polled.count), -1)
        guard polled[1].revents != 0 else { return }
        var bytes = [UInt8](repeating: 0, count: 64)
        // What is left wakes once more.
        // SAFETY: it writes into the array, at most its size.
        _ = unsafe read(reading, &bytes, bytes.count)
    }
}
