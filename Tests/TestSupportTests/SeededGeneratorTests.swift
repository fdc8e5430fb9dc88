import TestSupport
import Testing

@Suite struct SeededGeneratorTests {
    @Test("The numbers are those of SplitMix64")
    func reference() {
        var generator = SeededGenerator(seed: 1_234_567)
        // The reference implementation's first numbers for this seed.
        let expected: [UInt64] = [6_457_827_717_110_365_317, 3_203_168_211_198_807_973, 9_817_491_932_198_370_423]
        #expect(expected.map { _ in generator.next() } == expected)
    }

    @Test("Values are picked about as often as their weights say, and never at weight zero")
    func weights() {
        var generator = SeededGenerator(seed: 1)
        var counts = [0, 0, 0]
        for _ in 0..<10_000 { counts[generator.pick([(1, 0), (0, 1), (3, 2)])] += 1 }
        #expect(counts[1] == 0 && (2300...2700).contains(counts[0]))
    }

    @Test("Bytes have the length asked for", arguments: [0, 1, 15, 16, 17, 4096])
    func bytes(count: Int) {
        var generator = SeededGenerator(seed: 1)
        #expect(generator.bytes(count).count == count)
    }
}
