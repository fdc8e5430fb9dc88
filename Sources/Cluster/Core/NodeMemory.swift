/// What a node must still know after a restart (`cluster.json` in its metadata folder).
public struct NodeMemory: Hashable, Sendable {
    /// The newest epoch that this node has won; on disk before it goes on.
    public var won: Epoch
    /// The promise it has given; on disk before it is answered.
    public var promise: Promise?
    /// An operator has taken it out: it claims on no ground until it is promoted.
    public var isDemoted: Bool

    /// The highest number under which a whole copy was ever to be created in the peer's store; 0: none.
    public var copyAt: UInt64 = 0

    /// The newest transaction on record of a database that a power cut took back behind it; 0: none.
    public var owes: UInt64 = 0

    // Two hosts without a witness (failover-review W1, W6, W8).
    /// The highest number of an epoch that was ever to be claimed; on disk before the claim is sent.
    public var tried = Epoch.zero
    /// The newest epoch that the database was part of: of the last file that was applied to it, or accepted from it.
    public var partOf = EpochStamp.zero
    /// A release may have reached the peer's store; on disk before it is sent, and until an epoch is won.
    public var isReleasing = false
    /// The number of a seal with all pages that this host's store may have, made of the database as it still is but for a
    /// power cut; on disk before it is sent; 0: none.
    public var pagesAt: UInt64 = 0

    /// Creates the memory of a node; a new one knows nothing.
    public init(
        won: Epoch = .zero,
        promise: Promise? = nil,
        isDemoted: Bool = false,
        copyAt: UInt64 = 0,
        owes: UInt64 = 0
    ) {
        (self.won, self.promise, self.isDemoted) = (won, promise, isDemoted)
        (self.copyAt, self.owes) = (copyAt, owes)
    }
}

/// A node's word not to take over from a session for some time (failover-review N13).
public struct Promise: Hashable, Sendable {
    /// From whom it will not take over.
    public var session: SessionID
    /// For how long.
    public var length: Duration
    /// When it was given.
    public var given: Moment
    /// In which boot; in another one it counts anew for its full length.
    public var boot: String

    /// Creates a promise.
    public init(session: SessionID, length: Duration, given: Moment, boot: String) {
        (self.session, self.length, self.given, self.boot) = (session, length, given, boot)
    }

    /// When it is over, seen in the boot `boot` at `now`.
    func end(boot: String, now: Moment) -> Moment { boot == self.boot ? given + length : now + length }
}
