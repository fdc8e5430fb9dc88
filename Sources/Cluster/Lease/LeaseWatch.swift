/// How long the body of the lease has stood unchanged, as one node's own clock tells it (failover-review N14).
struct LeaseWatch: Hashable, Sendable {
    /// The last body that was read, and its version.
    private(set) var seen: (lease: Lease, version: LeaseVersion)?
    private var firstSeen: Moment?
    private var lastRead: Moment?

    /// Notes a successful read, whose answer came at `now`.
    ///
    /// A gap between looks longer than the holder's renewals are apart could hide a body that came and went.
    mutating func read(_ lease: Lease, _ version: LeaseVersion, at now: Moment) {
        let attention = LeaseTiming(ttl: lease.ttl).attention
        let isSame = seen?.version == version
        let wasAttentive = lastRead.map { now - $0 <= attention } ?? false
        if !isSame || !wasAttentive { firstSeen = now }
        seen = (lease, version)
        lastRead = now
    }

    /// Whether the body has stood so long that its holder is gone, or has closed its gate.
    func isExpired(at now: Moment) -> Bool {
        guard let lease = seen?.lease, let firstSeen else { return false }
        return now - firstSeen >= LeaseTiming(ttl: lease.ttl).patience
    }

    /// For how long the body has stood unchanged, so far as it was watched.
    func age(at now: Moment) -> Duration { firstSeen.map { now - $0 } ?? .zero }

    /// Forgets what was seen, as after a change whose outcome is not known.
    mutating func reset() { self = LeaseWatch() }

    static func == (lhs: Self, rhs: Self) -> Bool {
        lhs.seen?.version == rhs.seen?.version && lhs.firstSeen == rhs.firstSeen && lhs.lastRead == rhs.lastRead
    }

    func hash(into hasher: inout Hasher) { hasher.combine(seen?.version) }
}
