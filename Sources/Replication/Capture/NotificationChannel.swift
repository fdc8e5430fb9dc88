import Dispatch
import Synchronization
import SystemPackage

#if canImport(Glibc)
    import Glibc
#endif

/// A channel on which the system tells what happens to files: inotify.
///
/// `@unchecked Sendable`: the source is made in `init` and cancelled in `deinit`, and not touched between them; the
/// handlers are guarded by their lock.
final class NotificationChannel: @unchecked Sendable {
    private let descriptor: Int32
    private let queue = DispatchQueue(label: "changes")
    private let source: any DispatchSourceRead
    private let handlers = Mutex<[Int32: @Sendable () -> Void]>([:])

    /// Opens a channel; `nil` where the system has none.
    init?() {
        #if os(Linux)
            let descriptor = inotify_init1(O_NONBLOCK | O_CLOEXEC)
            guard descriptor >= 0 else { return nil }
            self.descriptor = descriptor
            source = DispatchSource.makeReadSource(fileDescriptor: descriptor, queue: queue)
            source.setEventHandler { [weak self] in self?.deliver() }
            source.setCancelHandler { close(descriptor) }
            source.resume()
        #else
            return nil
        #endif
    }

    deinit {
        source.cancel()
    }

    /// Ends a watch; its handler may still be running.
    func remove(_ number: Int32) {
        #if os(Linux)
            let known = handlers.withLock { $0.removeValue(forKey: number) != nil }
            if known { inotify_rm_watch(descriptor, number) }
        #endif
    }

    #if os(Linux)
        /// Calls `handler` on what `mask` names of the file under `path`. Returns the watch's number.
        func add(_ path: FilePath, _ mask: UInt32, _ handler: @escaping @Sendable () -> Void) -> Int32? {
            // Registered before an event can be delivered: both need the lock.
            handlers.withLock { handlers in
                let number = unsafe path.withPlatformString { unsafe inotify_add_watch(descriptor, $0, mask) }
                guard number >= 0 else { return nil }
                handlers[number] = handler
                return number
            }
        }

        /// Reads all events that are there and calls each handler once.
        private func deliver() {
            var bytes = [UInt8](repeating: 0, count: 16 << 10)
            while true {
                let count = unsafe bytes.withUnsafeMutableBytes { unsafe read(descriptor, $0.baseAddress, $0.count) }
                guard count > 0 else { return }
                var (fired, ended): (Set<Int32>, Set<Int32>) = ([], [])
                var offset = 0
                let span = unsafe bytes.span.bytes
                while offset + 16 <= count {
                    // SAFETY: the kernel wrote whole events; the loads check their bounds.
                    let number = unsafe span.unsafeLoadUnaligned(fromByteOffset: offset, as: Int32.self)
                    let mask = unsafe span.unsafeLoadUnaligned(fromByteOffset: offset + 4, as: UInt32.self)
                    let length = unsafe span.unsafeLoadUnaligned(fromByteOffset: offset + 12, as: UInt32.self)
                    if mask & UInt32(IN_IGNORED) != 0 { ended.insert(number) } else { fired.insert(number) }
                    offset += 16 + Int(length)
                }
                for number in fired { handlers.withLock { $0[number] }?() }
                // The kernel has ended these watches: they fired once, or their file is gone.
                handlers.withLock { handlers in for number in ended { handlers[number] = nil } }
            }
        }
    #endif
}
