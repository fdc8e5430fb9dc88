/// The run's random numbers.
struct SimulationRandom {
    private var state: UInt64

    init(seed: UInt64) { state = History.mix(seed) }

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        return History.mix(state)
    }

    /// A number from 0 to `bound` - 1.
    mutating func below(_ bound: Int) -> Int { Int(next().multipliedFullWidth(by: UInt64(bound)).high) }

    /// Whether something happens that happens `thousandths` times of 1,000.
    mutating func chance(_ thousandths: Int) -> Bool { thousandths > 0 && below(1000) < thousandths }

    mutating func milliseconds(_ range: ClosedRange<Int>) -> Int64 {
        Int64(range.lowerBound + below(range.count)) * 1_000_000 + Int64(below(1_000_000))
    }
}
