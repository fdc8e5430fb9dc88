/// The lengths of time by which nodes of a cluster agree; all follow from the lease's time to live (failover-review N14).
///
/// With these margins each clock may run wrong by 10 % and no two nodes ever accept writes at one instant. Without any
/// bound on clocks nothing acknowledged as replicated is lost, and no history forks.
public struct LeaseTiming: Hashable, Sendable {
    /// How long a body of the lease stands without a successor before others may claim; at least 300 ms.
    public var ttl: Duration

    /// How often others look at the lease; at most a quarter of the time to live.
    public var poll: Duration

    /// Takes the time to live, and how often to look; `nil`: each tenth of it.
    public init(ttl: Duration, poll: Duration? = nil) { (self.ttl, self.poll) = (ttl, poll ?? ttl / 10) }

    /// How often the holder renews.
    public var renewal: Duration { ttl / 3 }
    /// How long after the first sending of what landed the holder accepts writes.
    public var acceptance: Duration { ttl * 2 / 3 }
    /// How long after it the database is locked for sure.
    public var locking: Duration { ttl * 5 / 6 }
    /// How long a candidate sees the same body before it claims.
    public var patience: Duration { ttl * 11 / 10 }
    /// The longest gap between two looks at the lease that still counts as watching it.
    public var attention: Duration { ttl / 3 }
    /// How long a renewal may go unanswered before promises are asked for.
    public var doubt: Duration { ttl / 6 }
}
