import LTX
import ObjectStorage

extension TailManifest {
    /// No manifest is larger: it lists some hundred thousand files.
    static let byteLimit = 32 << 20

    /// The manifest as it is kept: keys in order.
    public var encoded: [UInt8] {
        var members = other
        members["format"] = .integer(1)
        members["id"] = .string(id.description)
        members["node"] = .id(node)
        members["name"] = .string(nodeName)
        members["epoch"] = .integer(Int64(clamping: id.epoch.rawValue))
        members["fork"] = fork.map { .point($0) } ?? .null
        members["base"] = .point(base)
        members["state"] = .object([
            "checksum": .id(SessionID(rawValue: state.checksum)),
            "pageSize": .integer(Int64(state.pageSize)),
            "pageCount": .integer(Int64(state.pageCount)),
        ])
        members["kept"] = .string(kept.shortText)
        members["firstTransaction"] = firstTransaction.map { .string($0.text) } ?? .null
        members["lastTransaction"] = lastTransaction.map { .string($0.text) } ?? .null
        members["transactions"] = transactionCount.map { .integer(Int64(clamping: $0)) } ?? .null
        members["pages"] = pageCount.map { .integer(Int64($0)) } ?? .null
        members["tables"] = .array(
            tables.tables.map {
                .object([
                    "name": .string($0.name), "pages": .integer(Int64($0.pageCount)),
                    "indexPages": .integer(Int64($0.indexPageCount)),
                ])
            }
        )
        members["otherPages"] = .integer(Int64(tables.otherPageCount))
        members["tablesProblem"] = tables.problem.map { .string($0) } ?? .null
        members["files"] = .array(files.map(\.json))
        members["acknowledged"] =
            acknowledged.map { .object(["at": .string($0.moment.shortText), "by": .string($0.person)]) } ?? .null
        return ObjectReader.text(members)
    }

    /// Reads a manifest.
    ///
    /// - Throws: ``ClusterObjectError`` where something else lies there, or a name in it could lead out of its folder.
    public init(parsing bytes: some Sequence<UInt8>) throws(ClusterObjectError) {
        var reader = try ObjectReader(bytes, "manifest of a tail", limit: Self.byteLimit)
        guard let id = TailID(try reader.string("id")) else { throw reader.wrong("id", "the name of a tail") }
        guard try reader.integer("epoch") == UInt64(Int64(clamping: id.epoch.rawValue)) else {
            throw reader.wrong("epoch", "that of its name")
        }
        self.id = id
        node = try reader.id("node")
        nodeName = try reader.string("name")
        fork = try reader.isNull("fork") ? nil : reader.point("fork")
        base = try reader.point("base")
        state = try reader.state("state")
        kept = try reader.timestamp("kept")
        firstTransaction = try reader.isNull("firstTransaction") ? nil : reader.timestamp("firstTransaction")
        lastTransaction = try reader.isNull("lastTransaction") ? nil : reader.timestamp("lastTransaction")
        transactionCount = try reader.isNull("transactions") ? nil : reader.integer("transactions")
        pageCount = try reader.isNull("pages") ? nil : reader.count("pages")
        let problem = try reader.isNull("tablesProblem") ? nil : reader.string("tablesProblem")
        tables = TouchedTables(
            tables: try reader.objects("tables") { (table) throws(ClusterObjectError) in
                TouchedTables.Table(
                    name: try table.string("name"),
                    pageCount: try table.count("pages"),
                    indexPageCount: try table.count("indexPages")
                )
            },
            otherPageCount: try reader.count("otherPages"),
            problem: problem
        )
        files = try reader.objects("files") { (file) throws(ClusterObjectError) in try File(&file) }
        guard Set(files.map(\.name)).count == files.count else { throw reader.wrong("files", "a list of other files") }
        acknowledged = try reader.isNull("acknowledged") ? nil : reader.acknowledgement("acknowledged")
        other = reader.rest
    }
}

extension TailManifest.File {
    fileprivate var json: JSONValue {
        var members: [String: JSONValue] = [
            "name": .string(name), "byteCount": .integer(byteCount), "checksum": .id(SessionID(rawValue: checksum)),
        ]
        members["damage"] = damage.map { .string($0) }
        return .object(members)
    }

    fileprivate init(_ reader: inout ObjectReader) throws(ClusterObjectError) {
        name = try reader.string("name")
        // Names become paths and keys.
        guard name == TailManifest.database || name == TailManifest.log || LTXFileName(name) != nil else {
            throw reader.wrong("name", "that of a transaction file, or of a copy of the database")
        }
        byteCount = Int64(clamping: try reader.integer("byteCount"))
        checksum = try reader.id("checksum", SessionID.self).rawValue
        damage = try reader.isNull("damage") ? nil : reader.string("damage")
    }
}

extension ObjectReader {
    /// Whether a member is missing or null; it is done with then.
    fileprivate mutating func isNull(_ key: String) throws(ClusterObjectError) -> Bool {
        guard rest[key] == nil || rest[key] == .null else { return false }
        _ = take(key)
        return true
    }

    fileprivate mutating func count(_ key: String) throws(ClusterObjectError) -> Int {
        Int(clamping: try integer(key))
    }

    fileprivate mutating func timestamp(_ key: String) throws(ClusterObjectError) -> Timestamp {
        guard let moment = Timestamp(text: try string(key)) else { throw wrong(key, "a moment in UTC") }
        return moment
    }

    fileprivate mutating func state(_ key: String) throws(ClusterObjectError) -> TailManifest.State {
        var inner = try inner(key)
        let checksum = try inner.id("checksum", SessionID.self).rawValue
        let (pageSize, pageCount) = (try inner.count("pageSize"), try inner.integer("pageCount"))
        guard LTXPageSize.isValid(pageSize), let pageCount = UInt32(exactly: pageCount) else {
            throw wrong(key, "the state of a database")
        }
        return TailManifest.State(checksum: checksum, pageSize: pageSize, pageCount: pageCount)
    }

    fileprivate mutating func acknowledgement(
        _ key: String
    ) throws(ClusterObjectError) -> TailManifest.Acknowledgement {
        var inner = try inner(key)
        return TailManifest.Acknowledgement(at: try inner.timestamp("at"), by: try inner.string("by"))
    }

    private mutating func inner(_ key: String) throws(ClusterObjectError) -> ObjectReader {
        guard case .object(let members)? = take(key) else { throw wrong(key, "an object") }
        return ObjectReader(members, within: self)
    }

    fileprivate mutating func objects<Element>(
        _ key: String,
        _ read: (inout ObjectReader) throws(ClusterObjectError) -> Element
    ) throws(ClusterObjectError) -> [Element] {
        guard case .array(let values)? = take(key) else { throw wrong(key, "a list") }
        var elements: [Element] = []
        for value in values {
            guard case .object(let members) = value else { throw wrong(key, "a list of objects") }
            var reader = ObjectReader(members, within: self)
            elements.append(try read(&reader))
        }
        return elements
    }
}
