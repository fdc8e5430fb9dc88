public import TestSupport

/// What kind of database and application a ``RandomWorkload`` plays.
public struct WorkloadOptions: Sendable, CustomStringConvertible {
    /// SQLite's modes of giving back free pages.
    public enum AutoVacuum: String, CaseIterable, Sendable {
        case none, full, incremental
    }

    /// Bytes in a page, a power of two from 512 to 65536.
    public var pageSize = 4096
    /// How free pages are given back.
    public var autoVacuum = AutoVacuum.none
    /// How many connections write in turn.
    public var connections = 1
    /// After how many frames a commit checkpoints by itself; 0: never.
    public var autocheckpoint = 0
    /// The size at which it begins to delete more than it inserts, in bytes.
    public var maximumBytes = 1 << 20
    /// The weight of explicit checkpoints, of any mode, among all steps (the rest weighs about 100).
    public var checkpointWeight = 8
    /// The weight of `VACUUM`.
    public var vacuumWeight = 1
    /// The weight of beginning or ending a read transaction that stays open over several steps.
    public var readerWeight = 5

    /// Creates the default options.
    public init() {}

    /// Every page size that SQLite has.
    public static let pageSizes = (9...16).map { 1 << $0 }

    /// Options drawn at random, so that many histories meet every page size, mode and kind of application.
    public static func random(using generator: inout SeededGenerator) -> Self {
        var options = Self()
        options.pageSize = pageSizes.randomElement(using: &generator) ?? 4096
        options.autoVacuum = AutoVacuum.allCases.randomElement(using: &generator) ?? .none
        options.connections = Int.random(in: 1...3, using: &generator)
        options.autocheckpoint = generator.pick([(2, 0), (1, 20), (1, 1000)])
        options.maximumBytes = max(256 << 10, 24 * options.pageSize)
        options.checkpointWeight = generator.pick([(1, 0), (2, 8), (1, 30)])
        options.vacuumWeight = generator.pick([(1, 0), (2, 1), (1, 6)])
        options.readerWeight = generator.pick([(1, 0), (2, 5)])
        return options
    }

    public var description: String {
        """
        page size \(pageSize), auto_vacuum \(autoVacuum.rawValue), \(connections) connections, autocheckpoint \
        \(autocheckpoint), weights: checkpoints \(checkpointWeight), vacuum \(vacuumWeight), readers \(readerWeight)
        """
    }
}
