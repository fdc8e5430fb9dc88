/// SplitMix64: a generator whose numbers depend on its seed alone, so that a failure can be run again.
struct SeededGenerator: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xbf58_476d_1ce4_e5b9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
        return mixed ^ (mixed >> 31)
    }

    mutating func bytes(_ count: Int) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(count + 8)
        while bytes.count < count {
            withUnsafeBytes(of: next()) { bytes.append(contentsOf: $0) }
        }
        bytes.removeLast(bytes.count - count)
        return bytes
    }

    /// A page as databases have them: zeros, text that repeats, noise, or some of each.
    mutating func page(_ size: Int) -> [UInt8] {
        switch next() % 4 {
        case 0: return [UInt8](repeating: UInt8(truncatingIfNeeded: next()), count: size)
        case 1: return bytes(size)
        default:
            var page = [UInt8](repeating: 0, count: size)
            let word = bytes(Int(next() % 23) + 3)
            let start = Int(next() % UInt64(size))
            for offset in start..<size { page[offset] = word[offset % word.count] }
            for offset in 0..<min(64, size) where next() % 2 == 0 { page[offset] = UInt8(truncatingIfNeeded: next()) }
            return page
        }
    }
}
