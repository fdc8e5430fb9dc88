public import Cluster
public import GRDB

/// Refuses the commits of an application's connections while its node may not write.
///
/// The gate is asked at each commit, under SQLite's write lock; a transaction that is refused is rolled back, and the
/// statement that should have committed it throws ``WriteRefused``. Reading is never refused. Have it watch every
/// connection that writes:
///
/// ```swift
/// var configuration = Configuration()
/// WriteGateObserver(node.gate).watch(&configuration)
/// let queue = try DatabaseQueue(path: "/data/app.db", configuration: configuration)
/// ```
///
/// A `DatabasePool` that writes cannot be opened on a node that follows: it begins with a commit of its own where the
/// write-ahead log is empty. Take a `DatabaseQueue` for writing, and a pool that only reads beside it.
///
/// SQLite asks nobody when it commits a `VACUUM`, or a backup *into* the database: neither belongs on a node that may
/// not write. A `VACUUM` changes no content; what it moved is a tail like any other, should it come too late.
///
/// One observer may watch any number of connections; it is asked on their queues.
public final class WriteGateObserver: TransactionObserver, Sendable {
    /// The gate that is asked.
    public let gate: WriteGateControl

    /// Creates an observer for the gate of a node.
    public init(_ gate: WriteGateControl) { self.gate = gate }

    /// Watches all connections that are opened with a configuration.
    ///
    /// - Parameter configuration: What connections are prepared by; what it prepares already comes first.
    public func watch(_ configuration: inout Configuration) {
        configuration.prepareDatabase { database in
            // Connections that only read have no transactions to observe.
            database.add(transactionObserver: self, extent: .databaseLifetime)
        }
    }

    /// Does nothing where the node may write.
    ///
    /// Asked before a write it spares the work of a transaction that would be refused; only the answer at the commit
    /// counts.
    ///
    /// - Throws: ``WriteRefused`` where the node may not.
    public func check() throws(WriteRefused) {
        guard gate.isOpen else { throw WriteRefused(hasExpired: gate.hasExpired) }
    }

    public func observes(eventsOfKind eventKind: DatabaseEventKind) -> Bool { false }

    public func databaseDidChange(with event: DatabaseEvent) {}

    public func databaseWillCommit() throws { try check() }

    public func databaseDidCommit(_ db: Database) {}

    public func databaseDidRollback(_ db: Database) {}
}

/// A write that was refused, because the node may not write at this moment; nothing of it was committed.
public struct WriteRefused: Error, Hashable, Sendable, CustomStringConvertible {
    /// Why a node refuses.
    public enum Reason: Hashable, Sendable {
        /// The node is not the primary.
        case notPrimary
        /// The node is the primary, but its right has run out, and neither the store nor the other nodes have renewed it.
        case expired
    }

    /// Why.
    public let reason: Reason

    init(hasExpired: Bool) { reason = hasExpired ? .expired : .notPrimary }

    public var description: String {
        switch reason {
        case .notPrimary:
            "This node is not the primary: nothing was committed. Write on the primary; /status names it."
        case .expired:
            "This node may not write at the moment, since its lease was not renewed in time: nothing was committed. "
                + "Try again, or write on the primary; /status names it and says what is away."
        }
    }
}
