import Cluster
import ObjectStorage

/// What a witness tells of its cells: the body of `GET /v1/cells`.
///
/// Consumers should ignore members that they do not know.
public struct WitnessDocument: Codable, Hashable, Sendable {
    /// A cell.
    public struct Cell: Codable, Hashable, Sendable {
        /// The id of its cluster, 16 hexadecimal digits.
        public var name: String
        /// What its `ETag` holds.
        public var revision: String
        /// The size of its body in bytes.
        public var size: Int
        /// When it was changed last, UTC by the witness's clock, in RFC 3339.
        public var changed: String
    }

    /// The number that names the witness's file, 16 hexadecimal digits; an empty file in its place would have another one.
    public var witness: String
    /// The version of the program; `nil` where that is not known.
    public var version: String?
    /// Its cells, by name.
    public var cells: [Cell]

    init(_ identity: UInt64, _ version: String?, _ entries: [WitnessCells.Entry]) {
        (witness, self.version) = (SessionID(rawValue: identity).description, version)
        cells = entries.map { entry in
            Cell(
                name: entry.name.description,
                revision: entry.revision.description,
                size: entry.byteCount,
                changed: entry.changed.shortText
            )
        }
    }
}
