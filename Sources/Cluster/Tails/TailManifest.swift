public import ObjectStorage

/// What is known of a tail: commits that only one node's database held when it was fenced (`manifest.json`).
///
/// A tail is kept beside the chain and never merged into it. People look at it, take out of it what they need, and
/// acknowledge it (failover-review N11).
public struct TailManifest: Hashable, Sendable {
    /// The state that a tail leads to.
    public struct State: Hashable, Sendable {
        /// The checksum of the database, as `DatabaseChecksum` defines it.
        public var checksum: UInt64
        /// The size of its pages in bytes.
        public var pageSize: Int
        /// Its size in pages.
        public var pageCount: UInt32

        /// Creates a state.
        public init(checksum: UInt64, pageSize: Int, pageCount: UInt32) {
            (self.checksum, self.pageSize, self.pageCount) = (checksum, pageSize, pageCount)
        }
    }

    /// A file of a tail.
    public struct File: Hashable, Sendable {
        /// Its name: `MIN-MAX.ltx`, `db` or `db-wal`.
        public var name: String
        /// Its size in bytes.
        public var byteCount: Int64
        /// The CRC-64 of its bytes; see `CRC64`.
        public var checksum: UInt64
        /// What was wrong with it when it was kept; `nil`: nothing.
        public var damage: String?

        /// Creates a description of a file.
        public init(name: String, byteCount: Int64, checksum: UInt64, damage: String? = nil) {
            (self.name, self.byteCount, self.checksum, self.damage) = (name, byteCount, checksum, damage)
        }
    }

    /// That somebody has seen a tail and needs it no more.
    public struct Acknowledgement: Hashable, Sendable {
        /// When, by the clock of whoever did it.
        public var moment: Timestamp
        /// Who.
        public var person: String

        /// Creates an acknowledgement.
        public init(at moment: Timestamp, by person: String) { (self.moment, self.person) = (moment, person) }
    }

    /// Its name.
    public var id: TailID
    /// Whose database held it.
    public var node: NodeID
    /// That node's name.
    public var nodeName: String
    /// The last place that the database and the chain had in common; `nil` where none could be proven.
    public var fork: ChainPoint?
    /// The place that the files go on from: the fork, or the last one that the node had on record.
    public var base: ChainPoint
    /// Where they lead.
    public var state: State
    /// When it was kept, by the node's clock.
    public var kept: Timestamp
    /// When its first transaction was captured, where that is known.
    public var firstTransaction: Timestamp?
    /// When its last transaction was captured, where that is known.
    public var lastTransaction: Timestamp?
    /// How many transactions the files hold; `nil` where there are none and the database itself was copied.
    public var transactionCount: UInt64?
    /// How many pages differ from the chain; `nil` where that is not known.
    public var pageCount: Int?
    /// To which tables they belong.
    public var tables: TouchedTables
    /// The files, transaction files in their order.
    public var files: [File]
    /// Who has acknowledged it; `nil`: nobody has.
    public var acknowledged: Acknowledgement?
    /// What a later version has put into it, kept as it was.
    var other: [String: JSONValue] = [:]

    /// The copy of the database file.
    static let database = "db"
    /// The copy of its log. SQLite takes the two for one database.
    static let log = "db-wal"
    /// The manifest itself.
    static let name = "manifest.json"

    /// The transaction files, in their order.
    var transactionFiles: [File] { files.filter { $0.name.hasSuffix(".ltx") } }
    /// Whether the database itself was copied.
    public var hasDatabase: Bool { files.contains { $0.name == Self.database } }

    /// Whether two manifests tell of the same commits, whatever people have said of them since.
    func tellsTheSame(as other: TailManifest) -> Bool {
        guard node == other.node, fork == other.fork, transactionFiles == other.transactionFiles else { return false }
        // Behind a fork the files tell everything, whether or not there was room for the database too.
        guard fork != nil || hasDatabase == other.hasDatabase else { return false }
        // A checkpoint moves pages from one of the two files into the other: the state is what counts.
        return state == other.state
    }
}
