import Dispatch
import Synchronization
import SystemPackage

#if canImport(Glibc)
    import Glibc
#endif

/// Tells when a write-ahead log is written to, or a file that is attached is replaced, without polling.
///
/// The event comes before the commit is published in the wal-index, so whoever is told has to look again for a
/// moment (capture-review, break 8). A watch on a log fires once, so that a busy writer costs no events.
///
/// Where the system has no inotify it never fires, and the slow poll is all there is.
///
/// `@unchecked Sendable`: the source is made in `init` and cancelled in `deinit`, and not touched between them; the
/// handlers are guarded by their lock.
package final class ChangeNotifier: @unchecked Sendable {
    /// One file that is watched.
    struct Watch: Hashable, Sendable {
        fileprivate let number: Int32
    }

    private let descriptor: Int32
    private let queue = DispatchQueue(label: "changes")
    private let source: any DispatchSourceRead
    private let handlers = Mutex<[Int32: @Sendable () -> Void]>([:])

    /// Opens the system's notification channel; `nil` where there is none.
    package init?() {
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

    /// Calls `handler` once when `path` is next written to, renamed or unlinked.
    func watchWrites(to path: FilePath, _ handler: @escaping @Sendable () -> Void) -> Watch? {
        #if os(Linux)
            add(path, UInt32(IN_MODIFY) | UInt32(IN_ATTRIB) | UInt32(IN_MOVE_SELF) | UInt32(IN_ONESHOT), handler)
        #else
            nil
        #endif
    }

    /// Calls `handler` whenever the file under `path` is renamed, unlinked or changed in its attributes.
    func watchIdentity(of path: FilePath, _ handler: @escaping @Sendable () -> Void) -> Watch? {
        #if os(Linux)
            add(path, UInt32(IN_ATTRIB) | UInt32(IN_MOVE_SELF) | UInt32(IN_DELETE_SELF), handler)
        #else
            nil
        #endif
    }

    /// Ends a watch; its handler may still be running.
    func remove(_ watch: Watch) {
        #if os(Linux)
            let known = handlers.withLock { $0.removeValue(forKey: watch.number) != nil }
            if known { inotify_rm_watch(descriptor, watch.number) }
        #endif
    }

    #if os(Linux)
        private func add(_ path: FilePath, _ mask: UInt32, _ handler: @escaping @Sendable () -> Void) -> Watch? {
            // Registered before an event can be delivered: both need the lock.
            handlers.withLock { handlers in
                let number = unsafe path.withPlatformString { unsafe inotify_add_watch(descriptor, $0, mask) }
                guard number >= 0 else { return nil }
                handlers[number] = handler
                return Watch(number: number)
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
