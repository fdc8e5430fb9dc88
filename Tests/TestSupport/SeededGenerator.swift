import Foundation

/// A random number generator that gives the same numbers for the same seed, on every platform (SplitMix64).
public struct SeededGenerator: RandomNumberGenerator, Sendable {
    /// The seed it began with, for messages.
    public let seed: UInt64
    private var state: UInt64

    /// Creates a generator from its seed.
    public init(seed: UInt64) {
        (self.seed, state) = (seed, seed)
    }

    /// A generator with the seed in the environment variable `SEED`, or a new one; says which on standard output.
    ///
    /// - Parameter purpose: Named beside the seed, so that a failed run can be repeated.
    public static func announced(for purpose: String) -> Self {
        let given = ProcessInfo.processInfo.environment["SEED"].flatMap { UInt64($0) }
        let seed = given ?? UInt64.random(in: 0..<1 << 48)
        print("\(purpose): seed \(seed) (repeat it with SEED=\(seed))")
        return Self(seed: seed)
    }

    public mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xbf58_476d_1ce4_e5b9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
        return mixed ^ (mixed >> 31)
    }

    /// Whether an event of this probability happens now.
    public mutating func happens(_ probability: Double) -> Bool {
        Double.random(in: 0..<1, using: &self) < probability
    }

    /// One of several values, each as often as its weight says.
    ///
    /// - Precondition: At least one weight is above zero.
    public mutating func pick<Value>(_ weighted: [(weight: Int, value: Value)]) -> Value {
        let total = weighted.reduce(0) { $0 + $1.weight }
        precondition(total > 0, "one weight at least must be above zero")
        var rest = Int.random(in: 0..<total, using: &self)
        for (weight, value) in weighted {
            if rest < weight { return value }
            rest -= weight
        }
        preconditionFailure("the weights sum up to their total")
    }

    /// `count` bytes that compress about two to one, as rows of applications do: half noise, half one repeated byte.
    public mutating func bytes(_ count: Int) -> [UInt8] {
        var bytes = [UInt8](repeating: UInt8(truncatingIfNeeded: next()), count: count)
        var offset = 0
        while offset < count / 2 {
            var word = next()
            for index in offset..<min(offset + 8, count / 2) {
                bytes[index] = UInt8(truncatingIfNeeded: word)
                word >>= 8
            }
            offset += 8
        }
        return bytes
    }
}
