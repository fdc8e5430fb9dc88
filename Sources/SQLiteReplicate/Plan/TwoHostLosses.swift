/// What happens to two hosts with a store each in which fault, without a witness and with one (failover-review G).
///
/// `a` is the primary and ships to the store on `b`. "Replicated" is what was acknowledged as such: it lies in both places.
public struct TwoHostLosses: Hashable, Sendable {
    /// What is broken.
    public let fault: String
    /// What happens without a witness.
    public let withoutWitness: Outcome
    /// What happens with one.
    public let withWitness: Outcome

    /// What happens.
    public struct Outcome: Hashable, Sendable {
        /// Who writes.
        public let writes: String
        /// What is lost.
        public let lost: String
    }

    /// All faults.
    public static let all: [TwoHostLosses] = [
        TwoHostLosses(
            "the process on a is killed",
            without: ("a, once it is started again; b on an operator's word", "nothing, if a goes on"),
            with: ("b, after ttl and a tenth", "nothing: what a had not shipped is kept as a tail")
        ),
        TwoHostLosses(
            "host a is gone, with its store",
            without: ("b, on an operator's word", "what a had not shipped; nothing replicated"),
            with: ("b, after ttl and a tenth", "what a had not shipped; nothing replicated")
        ),
        TwoHostLosses(
            "host b is gone, with its store",
            without: ("a; nothing is acknowledged as replicated", "nothing, unless a goes too before b is back"),
            with: (
                "a; after ttl b may not take over until it has everything",
                "nothing, unless a goes too before b is back"
            )
        ),
        TwoHostLosses(
            "the link between a and b is cut",
            without: (
                "a; an operator must not promote b", "nothing, unless b is promoted: then a's later part is a tail"
            ),
            with: ("a; after ttl b may not take over until it has everything", "nothing")
        ),
        TwoHostLosses(
            "the witness is away",
            without: ("there is none", "-"),
            with: ("a, as long as b promises to wait; nobody takes over", "nothing")
        ),
        TwoHostLosses(
            "the witness and the link are away",
            without: ("there is none", "-"),
            with: (
                "nobody, from 2/3 ttl on, unless b was off the list before; a goes on when either is back", "nothing"
            )
        ),
        TwoHostLosses(
            "the store on b goes back to an older copy",
            without: ("a, which writes a whole copy there", "nothing, unless a goes too before the copy is there"),
            with: (
                "a, which writes a whole copy there; b may not take over before",
                "nothing, unless a goes too before the copy is there"
            )
        ),
    ]

    private init(_ fault: String, without: (String, String), with: (String, String)) {
        self.fault = fault
        withoutWitness = Outcome(writes: without.0, lost: without.1)
        withWitness = Outcome(writes: with.0, lost: with.1)
    }
}
