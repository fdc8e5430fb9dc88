import Foundation
import SystemPackage
import Testing

@testable import SQLiteReplicate

/// Texts made of pieces of YAML and of configuration, and of noise: whatever they are, they are read or refused.
@Suite struct ConfigurationGarbageTests {
    /// SplitMix64.
    private struct Generator: RandomNumberGenerator {
        var state: UInt64

        mutating func next() -> UInt64 {
            state &+= 0x9E37_79B9_7F4A_7C15
            var mixed = state
            mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
            mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
            return mixed ^ (mixed >> 31)
        }
    }

    /// Random; the environment's `TEST_SEED` repeats a run.
    private static let seed =
        ProcessInfo.processInfo.environment["TEST_SEED"].flatMap { UInt64($0) } ?? UInt64.random(in: 0...(.max))

    /// How many texts of each kind; `TEST_ROUNDS` makes it more.
    private let rounds = ProcessInfo.processInfo.environment["TEST_ROUNDS"].flatMap { Int($0) } ?? 4000

    private static let pieces =
        ConfigurationKeys.top + ConfigurationKeys.database + ConfigurationKeys.replica
        + ConfigurationKeys.replicaDefaults + [
            ": ", ":", "\n", "\n  ", "\n    ", "\n- ", "\n  - ", "- ", "{", "}", "[", "]", ", ", "\"", "'", "#", "|",
            ">", "&a ",
            "*a", "<<: *a", "? ", "!!str ", "!x ", "---\n", "...\n", "\t", "\r", "\r\n", "\u{85}", "\u{2028}", "~",
            "null",
            "$", "${", "}", "$A", "${A}", "$$", "1", "-1", "0", "1h", "-5s", "7d", "99999999999999999999", "0x", "0o8",
            "_",
            "5MB", "true", "no", "/a", "s3://b/x", "s3://", "file:///", "ftp://", "?a=b", "%", "%00", "\\0", "\\x",
            "\\uD800", "ä", "𝄞",
            "\u{F000}", "\u{FEFF}", "\0", "interval", "retention: ", "path: /x",
            "dbs:\n  - path: /a\n    replica: {path: /x}\n",
        ]

    private func check(_ text: [UInt8], _ note: @autoclosure () -> String) {
        do {
            let file = try ConfigurationFile.parse(
                text,
                path: "g.yml",
                environment: ["A": "x: [1\n", "HOME": "/h"],
                workingDirectory: "/w"
            )
            for warning in file.warnings where (warning.location?.line ?? 1) < 1 || (warning.location?.column ?? 1) < 1
            {
                Issue.record("\(note()): \(warning)")
            }
        } catch {
            if error.message.isEmpty || (error.location?.line ?? 1) < 1 { Issue.record("\(note()): \(error)") }
        }
    }

    @Test("Texts of random pieces are read or refused")
    func pieces() {
        let seed = Self.seed
        print("seed of the random texts: \(seed)")
        var generator = Generator(state: seed)
        for round in 0..<rounds {
            let count = Int.random(in: 1...40, using: &generator)
            let text = (0..<count).map { _ in Self.pieces.randomElement(using: &generator) ?? "" }.joined()
            check(Array(text.utf8), "seed \(seed) round \(round)")
        }
    }

    @Test("Damaged fixtures are read or refused")
    func damaged() {
        let seed = Self.seed
        print("seed of the damaged fixtures: \(seed)")
        var generator = Generator(state: seed)
        let texts = ConfigurationFixtures.texts.values.sorted()
        for round in 0..<rounds {
            guard let fixture = texts.randomElement(using: &generator) else { return }
            var text = Array(fixture.utf8)
            for _ in 0..<Int.random(in: 1...6, using: &generator) {
                let index = Int.random(in: 0..<text.count, using: &generator)
                switch Int.random(in: 0..<4, using: &generator) {
                case 0: text[index] = UInt8.random(in: 0...127, using: &generator)
                case 1: text.remove(at: index)
                case 2:
                    text.insert(contentsOf: Array((Self.pieces.randomElement(using: &generator) ?? "").utf8), at: index)
                default: text.removeSubrange(index..<min(index + 9, text.count))
                }
                if text.isEmpty { text = [0x20] }
            }
            check(text, "seed \(seed) round \(round)")
        }
    }

    @Test("Deep nesting is refused or read, not overflowed", arguments: ["[", "{a: ", "- ", "{", "? "])
    func nesting(_ piece: String) {
        for count in [100, 999, 1001, 20_000] {
            check(Array(String(repeating: piece, count: count).utf8), "\(count) times '\(piece)'")
        }
    }

    @Test("A list of aliases of aliases is read or refused quickly", .timeLimit(.minutes(1)))
    func aliases() {
        var text = "a0: &a0 [x, x]\n"
        for level in 1...40 { text += "a\(level): &a\(level) [*a\(level - 1), *a\(level - 1)]\n" }
        check(Array((text + "dbs: *a40\n").utf8), "aliases")
    }
}
