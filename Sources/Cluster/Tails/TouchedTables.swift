import SQLiteFormat

/// The tables whose pages a tail has changed.
public struct TouchedTables: Hashable, Sendable {
    /// A table, and how much of it.
    public struct Table: Hashable, Sendable {
        /// Its name; `sqlite_schema` for the schema.
        public var name: String
        /// Changed pages of its rows.
        public var pageCount: Int
        /// Changed pages of its indexes.
        public var indexPageCount: Int

        /// Creates an entry.
        public init(name: String, pageCount: Int, indexPageCount: Int = 0) {
            (self.name, self.pageCount, self.indexPageCount) = (name, pageCount, indexPageCount)
        }
    }

    /// The tables, by name.
    public var tables: [Table]
    /// Changed pages that belong to no table: free ones, and those by which SQLite manages pages.
    public var otherPageCount: Int
    /// Why this does not tell of all changed pages; `nil` where it does.
    public var problem: String?

    /// Creates a list.
    public init(tables: [Table], otherPageCount: Int, problem: String? = nil) {
        (self.tables, self.otherPageCount, self.problem) = (tables, otherPageCount, problem)
    }

    /// More pages than these are not looked up.
    static let pageLimit = 1_000_000
    /// Nor are more pages read, some seconds' worth: the database is locked meanwhile.
    static let readLimit = 250_000
    /// More tables are not listed.
    static let tableLimit = 1_000

    /// Nothing is known, and why.
    static func unknown(_ problem: String) -> Self { Self(tables: [], otherPageCount: 0, problem: problem) }

    /// Looks up to which tables pages belong.
    ///
    /// - Parameters:
    ///   - pages: The pages.
    ///   - pageCount: The size of the database in pages.
    ///   - read: Reads a page of the database; `nil` where it is not there.
    init(of pages: Set<UInt32>, pageCount: UInt32, reading read: @escaping (UInt32) throws -> [UInt8]?) {
        guard pages.count <= Self.pageLimit else {
            self = .unknown("\(pages.count) pages have changed, too many to look all of them up")
            return
        }
        do {
            let found = try PageOwners(of: pages, pageCount: pageCount, readLimit: Self.readLimit, reading: read)
            self.init(found)
        } catch {
            self = .unknown("the database could not be read: \(error)")
        }
    }

    private init(_ found: PageOwners) {
        var tables: [String: Table] = [:]
        var other = 0
        for owner in found.owners.values {
            switch owner {
            case .table(let name): tables[name, default: Table(name: name, pageCount: 0)].pageCount += 1
            case .index(_, let name): tables[name, default: Table(name: name, pageCount: 0)].indexPageCount += 1
            case .schema:
                tables["sqlite_schema", default: Table(name: "sqlite_schema", pageCount: 0)].pageCount += 1
            case .free, .pointerMap, .lockPage: other += 1
            }
        }
        var problem = found.problem
        if tables.count > Self.tableLimit {
            problem = "\(tables.count) tables have changed, of which \(Self.tableLimit) are listed"
        }
        let sorted = tables.values.sorted { $0.name < $1.name }
        self.init(tables: Array(sorted.prefix(Self.tableLimit)), otherPageCount: other, problem: problem)
    }
}
