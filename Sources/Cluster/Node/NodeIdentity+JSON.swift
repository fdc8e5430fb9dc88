extension NodeIdentity {
    /// The content of the file.
    var encoded: [UInt8] {
        var members = other
        members["format"] = .integer(1)
        members["cluster"] = cluster.map { .id($0) }
        members["node"] = .id(node)
        members["machine"] = .string(machine)
        members["folder"] = .object([
            "path": .string(folder.path), "inode": .string(SessionID(rawValue: folder.inode).description),
        ])
        members["won"] = .integer(Int64(clamping: memory.won.rawValue))
        if memory.copyAt > 0 { members["copy"] = .id(SessionID(rawValue: memory.copyAt)) }
        if memory.owes > 0 { members["owes"] = .id(SessionID(rawValue: memory.owes)) }
        if memory.tried > .zero { members["tried"] = .integer(Int64(clamping: memory.tried.rawValue)) }
        if memory.partOf > .zero { members["part_of"] = memory.partOf.json }
        if memory.isReleasing { members["releasing"] = .bool(true) }
        if memory.pagesAt > 0 { members["pages"] = .id(SessionID(rawValue: memory.pagesAt)) }
        members["demoted"] = .bool(memory.isDemoted)
        members["promise"] = memory.promise.map(\.json)
        return ObjectReader.text(members)
    }

    /// Reads the content of the file.
    init(parsing bytes: some Sequence<UInt8>) throws(ClusterObjectError) {
        let object = "node's own file"
        var reader = try ObjectReader(bytes, object)
        cluster = try reader.optionalID("cluster")
        node = try reader.id("node")
        machine = try reader.string("machine")
        guard let folder = try reader.optionalMembers("folder") else {
            throw ClusterObjectError(object, "lacks 'folder'")
        }
        var place = ObjectReader(members: folder, object)
        self.folder = FolderMark(path: try place.string("path"), inode: try place.id("inode", SessionID.self).rawValue)
        memory = NodeMemory(
            won: Epoch(rawValue: try reader.integer("won")),
            promise: nil,
            isDemoted: try reader.optionalBool("demoted") ?? false
        )
        memory.copyAt = try reader.optionalID("copy").map { (id: SessionID) in id.rawValue } ?? 0
        memory.owes = try reader.optionalID("owes").map { (id: SessionID) in id.rawValue } ?? 0
        if reader.rest["tried"] != nil { memory.tried = Epoch(rawValue: try reader.integer("tried")) }
        if let stamp = try reader.optionalMembers("part_of") { memory.partOf = try EpochStamp(stamp, of: object) }
        memory.isReleasing = try reader.optionalBool("releasing") ?? false
        memory.pagesAt = try reader.optionalID("pages").map { (id: SessionID) in id.rawValue } ?? 0
        if let promise = try reader.optionalMembers("promise") { memory.promise = try Promise(promise, of: object) }
        other = reader.rest
    }
}

extension EpochStamp {
    fileprivate var json: JSONValue {
        .object(["epoch": .integer(Int64(clamping: epoch.rawValue)), "node": .id(node)])
    }

    fileprivate init(_ members: [String: JSONValue], of object: String) throws(ClusterObjectError) {
        var reader = ObjectReader(members: members, object)
        self.init(epoch: Epoch(rawValue: try reader.integer("epoch")), node: try reader.id("node"))
    }
}

extension Promise {
    fileprivate var json: JSONValue {
        // Rounded up: a promise may only become longer.
        let (seconds, attoseconds) = length.components
        let milliseconds = seconds * 1000 + (attoseconds + 999_999_999_999_999) / 1_000_000_000_000_000
        return .object([
            "session": .id(session),
            "length_ms": .integer(milliseconds),
            "given_ns": .integer(NodeClock.nanoseconds(of: given)),
            "boot": .string(boot),
        ])
    }

    fileprivate init(_ members: [String: JSONValue], of object: String) throws(ClusterObjectError) {
        var reader = ObjectReader(members: members, object)
        session = try reader.id("session")
        let milliseconds = try reader.integer("length_ms")
        // The longest time to live, a day, and a tenth.
        guard milliseconds <= 95_040_000 else {
            throw ClusterObjectError(object, "has a promise of \(milliseconds) ms")
        }
        length = .milliseconds(Int64(milliseconds))
        given = Moment(reading: .nanoseconds(Int64(try reader.integer("given_ns"))))
        // A boot without a name is none that could be told from this one: the promise counts anew.
        let name = try reader.string("boot")
        boot = name.isEmpty ? "unknown" : name
    }
}
