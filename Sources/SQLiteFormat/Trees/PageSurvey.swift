/// The walk behind ``PageOwners``.
struct PageSurvey {
    typealias Owner = PageOwners.Owner

    private(set) var owners: [UInt32: Owner] = [:]

    private let wanted: Set<UInt32>
    private let pageCount: UInt32
    private let read: (UInt32) throws -> [UInt8]?
    /// How many pages may still be read.
    private var readsLeft: Int
    private var damage: String?
    /// The overflow pages that were come by.
    private var followed: Set<UInt32> = []
    private var usableByteCount = 0

    /// The database has no more levels than this: even with two children a page, it would have 2⁶⁴ pages.
    private static let deepest = 64
    /// So many rows of the schema are looked at.
    private static let rowLimit = 100_000
    /// The columns that are needed of a row lie in so many of its first bytes.
    private static let recordByteCount = 16 << 10

    /// How far a walk through a tree looks.
    private enum Depth {
        /// At interior pages: they name all others.
        case interior
        /// At the leaves that were asked for as well: they name the overflow pages that changed with them.
        case wantedLeaves
        /// At everything.
        case leaves
    }

    init(wanted: Set<UInt32>, pageCount: UInt32, readLimit: Int, read: @escaping (UInt32) throws -> [UInt8]?) {
        (self.wanted, self.pageCount, readsLeft, self.read) = (wanted, pageCount, readLimit, read)
    }

    /// Why some pages have no owner; `nil` if all have one.
    var problem: String? {
        let missing = wanted.count - owners.count
        guard missing > 0 else { return nil }
        let fact =
            readsLeft > 0 ? damage ?? "they are linked from nowhere" : "the database is too large to look through"
        return "of \(missing) pages the owner was not found: \(fact)"
    }

    private var isOver: Bool { owners.count == wanted.count || readsLeft <= 0 }

    mutating func run() throws {
        guard let first = try page(1), first.count >= DatabaseHeader.byteCount else { return }
        // SAFETY: the elements are bytes, all of them initialized.
        guard let header = DatabaseHeader(parsing: unsafe first.span.bytes), header.pageSize.byteCount == first.count,
            let encoding = SchemaRow.TextEncoding(rawValue: max(1, first.bigEndianUInt32(at: 56)))
        else { return note("page 1 is not a database's first") }
        usableByteCount = first.count - Int(first[20])
        guard usableByteCount >= 480 else { return note("page 1 reserves \(first[20]) bytes of each page") }
        claimFixed(lockPage: header.pageSize.lockPage, hasPointerMap: first.bigEndianUInt32(at: 52) != 0)

        let rows = try schema(encoding)
        let trees: [(UInt32, Owner)] =
            [(1, .schema)]
            + rows.map { ($0.root, $0.isIndex ? .index($0.name, of: $0.table) : .table($0.name)) }
        for (root, owner) in trees { try walk(root, owner, .interior) }
        try walkFreeList(from: first.bigEndianUInt32(at: 32))
        for depth in [Depth.wantedLeaves, .leaves] {
            for (root, owner) in trees { try walk(root, owner, depth) }
        }
    }

    // MARK: - Pages

    private mutating func page(_ number: UInt32) throws -> [UInt8]? {
        guard readsLeft > 0 else { return nil }
        readsLeft -= 1
        guard let bytes = try read(number) else {
            note("page \(number) is not there")
            return nil
        }
        return bytes
    }

    private mutating func treePage(_ number: UInt32) throws -> TreePage? {
        guard isInside(number), let bytes = try page(number) else { return nil }
        let page = TreePage(bytes, number: number, usableByteCount: usableByteCount)
        if page == nil { note("page \(number) is not one of a b-tree") }
        return page
    }

    private mutating func isInside(_ number: UInt32) -> Bool {
        if number > 0, number <= pageCount { return true }
        note("a page \(number) is linked, of \(pageCount)")
        return false
    }

    private mutating func note(_ words: String) { damage = damage ?? words }

    private mutating func claim(_ number: UInt32, _ owner: Owner) {
        if wanted.contains(number), owners[number] == nil { owners[number] = owner }
    }

    /// Those whose use follows from their numbers.
    private mutating func claimFixed(lockPage: UInt32, hasPointerMap: Bool) {
        // Each page of the map tells of so many pages that follow it.
        let period = UInt32(usableByteCount / 5 + 1)
        for number in wanted {
            if number > pageCount || number == 0 {
                claim(number, .free)
            } else if number == lockPage {
                claim(number, .lockPage)
            } else if hasPointerMap, number >= 2 {
                let map = (number - 2) / period * period + 2
                if number == (map == lockPage ? map + 1 : map) { claim(number, .pointerMap) }
            }
        }
    }

    // MARK: - Trees

    private mutating func schema(_ encoding: SchemaRow.TextEncoding) throws -> [SchemaRow] {
        var rows: [SchemaRow] = []
        var (stack, visited): ([UInt32], Set<UInt32>) = ([1], [])
        while let number = stack.popLast(), rows.count < Self.rowLimit {
            guard visited.insert(number).inserted, let page = try treePage(number) else { continue }
            claim(number, .schema)
            stack += page.children.reversed()
            guard page.kind == .leafTable else { continue }
            for payload in page.payloads {
                if let row = SchemaRow(try record(payload, in: page), encoding: encoding) { rows.append(row) }
            }
        }
        return rows
    }

    /// The beginning of a payload.
    private mutating func record(_ payload: TreePage.Payload, in page: TreePage) throws -> [UInt8] {
        var bytes = Array(page.bytes[payload.local])
        var (next, rest) = (payload.overflow, payload.overflowByteCount)
        while rest > 0, bytes.count < Self.recordByteCount, isInside(next), let page = try self.page(next),
            page.count >= usableByteCount
        {
            let count = Int(min(rest, UInt64(usableByteCount - 4)))
            bytes += page[4..<4 + count]
            (next, rest) = (page.bigEndianUInt32(at: 0), rest - UInt64(count))
        }
        return bytes
    }

    private mutating func walk(_ root: UInt32, _ owner: Owner, _ depth: Depth) throws {
        guard !isOver, isInside(root) else { return }
        guard let leafLevel = try leafLevel(below: root) else { return }
        var (stack, visited): ([(UInt32, Int)], Set<UInt32>) = ([(root, 0)], [])
        while let (number, level) = stack.popLast(), !isOver {
            guard isInside(number) else { continue }
            claim(number, owner)
            if level >= leafLevel {
                guard depth == .leaves || depth == .wantedLeaves && wanted.contains(number) else { continue }
            }
            guard visited.insert(number).inserted, let page = try treePage(number) else { continue }
            if level < leafLevel { stack += page.children.reversed().map { ($0, level + 1) } }
            guard depth != .interior else { continue }
            for payload in page.payloads where payload.overflow != 0 && !isOver {
                try follow(payload, owner)
            }
        }
    }

    /// How many levels a tree has above its leaves, which are all at the same one.
    private mutating func leafLevel(below root: UInt32) throws -> Int? {
        var number = root
        for level in 0..<Self.deepest {
            guard let page = try treePage(number) else { return level == 0 ? nil : level }
            guard let first = page.children.first else { return level }
            number = first
        }
        note("the b-tree at page \(root) leads back to itself")
        return nil
    }

    /// Claims the overflow pages of a payload.
    private mutating func follow(_ payload: TreePage.Payload, _ owner: Owner) throws {
        var (number, rest) = (payload.overflow, payload.overflowByteCount)
        let perPage = UInt64(usableByteCount - 4)
        while !isOver, isInside(number), followed.insert(number).inserted {
            claim(number, owner)
            guard rest > perPage, let page = try page(number), page.count >= 4 else { return }
            (number, rest) = (page.bigEndianUInt32(at: 0), rest - perPage)
        }
    }

    private mutating func walkFreeList(from first: UInt32) throws {
        var (number, visited): (UInt32, Set<UInt32>) = (first, [])
        while number != 0, !isOver, isInside(number), visited.insert(number).inserted {
            claim(number, .free)
            guard let page = try page(number), page.count >= usableByteCount else { return }
            let count = min(Int(page.bigEndianUInt32(at: 4)), usableByteCount / 4 - 2)
            for index in 0..<count { claim(page.bigEndianUInt32(at: 8 + 4 * index), .free) }
            number = page.bigEndianUInt32(at: 0)
        }
    }
}
