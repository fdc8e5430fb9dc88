import SQLiteFormat
import SystemPackage
import TestDatabases
import TestSupport
import Testing

@Suite(.timeLimit(.minutes(2))) struct PageOwnersTests {
    struct Shape: Sendable, CustomTestStringConvertible {
        var pageSize: Int
        var vacuum = "NONE"
        var encoding = "UTF-8"
        var testDescription: String { "\(pageSize), \(vacuum), \(encoding)" }
    }

    static let shapes = [
        Shape(pageSize: 512), Shape(pageSize: 512, vacuum: "FULL"), Shape(pageSize: 1024, encoding: "UTF-16be"),
        Shape(pageSize: 4096), Shape(pageSize: 4096, vacuum: "INCREMENTAL", encoding: "UTF-16le"),
        Shape(pageSize: 65_536),
    ]

    @Test("Each page of a database belongs to what SQLite says it belongs to", arguments: shapes)
    func everyPage(shape: Shape) async throws {
        try await withTemporaryFolder { folder in
            let database = try Self.database(in: folder, shape)
            let (image, expected) = (try database.image(), try Self.expected(of: database))
            let pages = (1...UInt32(image.pageCount)).map(\.self)
            let found = try PageOwners(of: pages, pageCount: UInt32(image.pageCount), readLimit: 100_000) {
                image.page($0)
            }
            #expect(found.problem == nil)
            var (free, maps) = (0, 0)
            for page in pages {
                switch found.owners[page] {
                case .free: free += 1
                case .pointerMap: maps += 1
                case let owner: #expect(owner == expected[page], "page \(page)")
                }
            }
            #expect(Int64(free) == (try database.integer("PRAGMA freelist_count")))
            #expect(pages.count == expected.count + free + maps)
            #expect(maps > 0 || shape.vacuum == "NONE")
            #expect(Set(found.owners.values).count >= 10)
        }
    }

    @Test("A few pages are found without a look at all of them", arguments: shapes)
    func fewPages(shape: Shape) async throws {
        var random = SeededGenerator.announced(for: "owners of a few pages")
        try await withTemporaryFolder { folder in
            let database = try Self.database(in: folder, shape)
            let (image, expected) = (try database.image(), try Self.expected(of: database))
            for _ in 0..<40 {
                let pages = (0..<4).map { _ in UInt32.random(in: 1...UInt32(image.pageCount), using: &random) }
                let found = try PageOwners(of: pages, pageCount: UInt32(image.pageCount), readLimit: 100_000) {
                    image.page($0)
                }
                for page in pages where expected[page] != nil { #expect(found.owners[page] == expected[page]) }
                #expect(found.owners.count == Set(pages).count && found.problem == nil)
            }
        }
        // The root of a table is known from the schema alone.
        try await withTemporaryFolder { folder in
            let database = try Self.database(in: folder, shape)
            let image = try database.image()
            let root = UInt32(try database.integer("SELECT rootpage FROM sqlite_schema WHERE name = 'plain'"))
            var reads = 0
            _ = try PageOwners(of: [root], pageCount: UInt32(image.pageCount), readLimit: 100_000) {
                reads += 1
                return image.page($0)
            }
            #expect(reads < image.pageCount / 2 || image.pageCount < 40, "\(reads) of \(image.pageCount)")
        }
    }

    @Test("Pages beyond the end are free; what is too much to read is said")
    func limits() async throws {
        try await withTemporaryFolder { folder in
            let database = try Self.database(in: folder, Shape(pageSize: 512))
            let image = try database.image()
            let count = UInt32(image.pageCount)
            let beyond = try PageOwners(of: [count + 1, .max], pageCount: count, readLimit: 100) { image.page($0) }
            #expect(beyond.owners == [count + 1: .free, .max: .free] && beyond.problem == nil)
            var reads = 0
            let some = try PageOwners(of: 1...count, pageCount: count, readLimit: 20) {
                reads += 1
                return image.page($0)
            }
            #expect(reads == 20 && some.problem?.contains("too large") == true && some.owners[1] == .schema)
            let none = try PageOwners(of: [1, 2], pageCount: count, readLimit: 20) { _ in nil }
            #expect(none.owners.isEmpty && none.problem?.contains("page 1 is not there") == true)
            struct Broken: Error {}
            #expect(throws: Broken.self) {
                try PageOwners(of: [1], pageCount: count, readLimit: 20) { _ in throw Broken() }
            }
        }
    }

    @Test("Damaged pages lead to no endless walk, and to no crash", arguments: shapes)
    func damaged(shape: Shape) async throws {
        var random = SeededGenerator.announced(for: "damaged b-trees")
        try await withTemporaryFolder { folder in
            let image = try Self.database(in: folder, shape).image()
            let count = UInt32(image.pageCount)
            for _ in 0..<150 {
                var bytes = image.bytes
                for _ in 0..<Int.random(in: 1...30, using: &random) {
                    let page = Int.random(in: 0..<Int(count), using: &random)
                    // The headers and pointers of pages more often than what lies in them.
                    let reach = random.happens(0.7) ? min(120, image.pageSize) : image.pageSize
                    let place = page * image.pageSize + Int.random(in: 0..<reach, using: &random)
                    switch Int.random(in: 0..<3, using: &random) {
                    case 0: bytes[place] = UInt8.random(in: 0...255, using: &random)
                    case 1: bytes[place] = 0xff
                    default: bytes[place] = UInt8(truncatingIfNeeded: UInt32.random(in: 0...count, using: &random))
                    }
                }
                let broken = DatabaseImage(pageSize: image.pageSize, bytes: bytes)
                var reads = 0
                let found = try PageOwners(of: 1...count, pageCount: count, readLimit: 5_000) {
                    reads += 1
                    return broken.page($0)
                }
                #expect(reads <= 5_000 && (found.owners.count == count) == (found.problem == nil))
            }
        }
    }

    @Test("A tree, a chain and a list that lead back to themselves end")
    func cycles() async throws {
        try await withTemporaryFolder { folder in
            let database = try Self.database(in: folder, Shape(pageSize: 512))
            let image = try database.image()
            let count = UInt32(image.pageCount)
            let interior = Int(try database.integer("SELECT rootpage FROM sqlite_schema WHERE name = 'plain'"))
            let overflow = Int(
                try database.integer("SELECT pageno FROM dbstat WHERE name = 'long' AND pagetype = 'overflow' LIMIT 1")
            )
            let trunk = Int(image.bytes[32..<36].reduce(0) { $0 << 8 | UInt32($1) })
            for (page, offset) in [(interior, 8), (overflow, 0), (trunk, 0)] {
                var bytes = image.bytes
                for (index, shift) in [24, 16, 8, 0].enumerated() {
                    bytes[(page - 1) * 512 + offset + index] = UInt8(truncatingIfNeeded: page >> shift)
                }
                let broken = DatabaseImage(pageSize: 512, bytes: bytes)
                var reads = 0
                let found = try PageOwners(of: 1...count, pageCount: count, readLimit: 100_000) {
                    reads += 1
                    return broken.page($0)
                }
                #expect(reads < 10 * Int(count) && found.problem != nil, "page \(page)")
            }
        }
    }

    /// A database with all that a page can be.
    static func database(in folder: FilePath, _ shape: Shape) throws -> SQLiteFile {
        let database = try SQLiteFile(folder.appending("a.db"))
        try database.execute(
            """
            PRAGMA page_size = \(shape.pageSize); PRAGMA encoding = '\(shape.encoding)';
            PRAGMA auto_vacuum = \(shape.vacuum); PRAGMA journal_mode = WAL;
            CREATE TABLE plain(id INTEGER PRIMARY KEY, v, body); CREATE INDEX "by v" ON plain(v, body);
            CREATE TABLE "a ""name"" — größer"(k TEXT PRIMARY KEY, v) WITHOUT ROWID;
            CREATE TABLE long(id INTEGER PRIMARY KEY AUTOINCREMENT, body, name UNIQUE);
            CREATE TABLE dropped(x); CREATE TABLE empty(x); CREATE VIEW some AS SELECT v FROM plain;
            WITH n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 900)
                INSERT INTO plain SELECT i, i % 17, randomblob(i % 90) FROM n;
            WITH n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 200)
                INSERT INTO "a ""name"" — größer" SELECT hex(randomblob(i)), randomblob(i) FROM n;
            WITH n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 30)
                INSERT INTO long(body, name) SELECT randomblob(i * 7000), hex(randomblob(i * 40)) FROM n;
            WITH n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 400)
                INSERT INTO dropped SELECT randomblob(1200) FROM n;
            """
        )
        // Rows and keys of all sizes about those from which on a part of them lies in overflow pages.
        try database.execute("CREATE TABLE edge(id INTEGER PRIMARY KEY, body); CREATE INDEX edges ON edge(body)")
        for limit in [shape.pageSize - 35, (shape.pageSize - 12) * 64 / 255 - 23] {
            try database.execute(
                """
                WITH n(i) AS (SELECT \(limit - 16) UNION ALL SELECT i + 1 FROM n WHERE i < \(limit + 6))
                    INSERT INTO edge(body) SELECT randomblob(i) FROM n
                """
            )
        }
        // A schema of several levels, one of whose rows goes on in overflow pages.
        for number in 0..<40 {
            try database.execute("CREATE TABLE t\(number)(x, y, z); INSERT INTO t\(number) VALUES (1, 2, 3)")
        }
        let columns = (0..<400).map { "a_rather_long_name_\($0)" }.joined(separator: ", ")
        try database.execute("CREATE TABLE wide(\(columns)); DROP TABLE dropped; DELETE FROM plain WHERE id % 5 = 0")
        return database
    }

    /// What SQLite's own walk says, by page.
    private static func expected(of database: SQLiteFile) throws -> [UInt32: PageOwners.Owner] {
        var owners: [UInt32: PageOwners.Owner] = [:]
        let rows = try database.query(
            """
            SELECT pageno, pages.name, entries.type, tbl_name FROM dbstat AS pages
                LEFT JOIN sqlite_schema AS entries ON entries.name = pages.name
            """
        )
        for row in rows {
            let (page, name) = (UInt32(try #require(row[0].integer)), try #require(row[1].text))
            switch row[2].text {
            case "index": owners[page] = .index(name, of: try #require(row[3].text))
            case "table": owners[page] = .table(name)
            default: owners[page] = .schema
            }
        }
        return owners
    }
}

extension DatabaseImage {
    fileprivate func page(_ number: UInt32) -> [UInt8]? {
        guard number > 0, Int(number) <= pageCount else { return nil }
        return Array(bytes[(Int(number) - 1) * pageSize..<Int(number) * pageSize])
    }
}
