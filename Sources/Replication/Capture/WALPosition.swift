import SQLiteFormat

/// Up to where the write-ahead log is captured: a frame of one generation, and the running checksum there.
///
/// Frame 0 stands for the generation's beginning.
struct WALPosition: Hashable, Sendable {
    var salts: WALSalts
    var frame: UInt32
    var checksum: WALChecksum

    /// The beginning of the generation that has `salts`.
    static func start(of salts: WALSalts) -> Self { Self(salts: salts, frame: 0, checksum: WALChecksum()) }
}
