import SystemPackage

#if canImport(Glibc)
    import Glibc
#endif

/// Tells when a write-ahead log is written to, or a file that is attached is replaced, without polling.
///
/// The event comes before the commit is published in the wal-index, so whoever is told has to look again for a
/// moment (capture-review, break 8). A watch on a log fires once, so that a busy writer costs no events.
///
/// Writes and identities have a channel of their own each, as the system keeps one watch a file and channel: SQLite sets
/// the owner of a log whenever a process of root opens it, which is no write and is not to be looked at like one.
///
/// Where the system has no inotify it never fires, and the slow poll is all there is.
package final class ChangeNotifier: Sendable {
    /// One file that is watched.
    struct Watch: Hashable, Sendable {
        fileprivate let number: Int32
        fileprivate let isOfIdentity: Bool
    }

    private let writes: NotificationChannel
    private let identities: NotificationChannel

    /// Opens the system's notification channels; `nil` where there are none.
    package init?() {
        guard let writes = NotificationChannel(), let identities = NotificationChannel() else { return nil }
        (self.writes, self.identities) = (writes, identities)
    }

    /// Calls `handler` once when `path` is next written to, or renamed.
    func watchWrites(to path: FilePath, _ handler: @escaping @Sendable () -> Void) -> Watch? {
        #if os(Linux)
            writes.add(path, UInt32(IN_MODIFY) | UInt32(IN_MOVE_SELF) | UInt32(IN_ONESHOT), handler)
                .map { Watch(number: $0, isOfIdentity: false) }
        #else
            nil
        #endif
    }

    /// Calls `handler` whenever the file under `path` is renamed, unlinked or changed in its attributes.
    func watchIdentity(of path: FilePath, _ handler: @escaping @Sendable () -> Void) -> Watch? {
        #if os(Linux)
            identities.add(path, UInt32(IN_ATTRIB) | UInt32(IN_MOVE_SELF) | UInt32(IN_DELETE_SELF), handler)
                .map { Watch(number: $0, isOfIdentity: true) }
        #else
            nil
        #endif
    }

    /// Ends a watch; its handler may still be running.
    func remove(_ watch: Watch) { (watch.isOfIdentity ? identities : writes).remove(watch.number) }
}
