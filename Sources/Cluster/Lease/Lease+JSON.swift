extension Lease {
    /// The body as it lies in the store: at most 4 KB with a few dozen nodes, keys in order.
    public var encoded: [UInt8] {
        var members = other
        members["format"] = .integer(1)
        members["cluster"] = .id(cluster)
        members["epoch"] = .integer(Int64(clamping: epoch.rawValue))
        members["session"] = .id(session)
        members["node"] = .id(node)
        members["name"] = .string(name)
        members["state"] = .string(state.rawValue)
        members["to"] = successor.map { .id($0) }
        members["counter"] = .integer(Int64(clamping: counter))
        members["nonce"] = .string(nonce.description)
        members["ttl_ms"] = .integer(ttl.milliseconds)
        members["head"] = .point(head)
        members["begin"] = .id(SessionID(rawValue: begin))
        members["continues"] = continues.map { .array([$0.since, $0.through].map { .id(SessionID(rawValue: $0)) }) }
        members["origin"] = origin.map { origin in
            var members: [String: JSONValue] = [
                "epoch": .integer(Int64(clamping: origin.epoch.rawValue)),
                "node": .id(origin.node),
                "first": .id(SessionID(rawValue: origin.first)),
            ]
            if origin.since > .zero { members["since"] = .integer(Int64(clamping: origin.since.rawValue)) }
            if origin.hasEarlierSeals { members["earlier_seals"] = .bool(true) }
            return .object(members)
        }
        if copyAt > 0 { members["copy"] = .id(SessionID(rawValue: copyAt)) }
        members["eligible"] = .array(eligible.map { .id($0) })
        members["url"] = .string(url)
        return ObjectReader.text(members)
    }

    /// Reads a body.
    ///
    /// - Throws: ``ClusterObjectError`` where something else lies there, or a number is out of its range.
    public init(parsing bytes: some Sequence<UInt8>) throws(ClusterObjectError) {
        var reader = try ObjectReader(bytes, "lease")
        cluster = try reader.id("cluster")
        epoch = Epoch(rawValue: try reader.integer("epoch"))
        session = try reader.id("session")
        node = try reader.id("node")
        name = try reader.string("name")
        state = try reader.choice("state")
        successor = try reader.optionalID("to")
        counter = try reader.integer("counter")
        nonce = try reader.nonce("nonce")
        let milliseconds = try reader.integer("ttl_ms")
        // A day is longer than any sane one; less than 300 ms leaves no time to renew.
        guard (300...86_400_000).contains(milliseconds) else {
            throw ClusterObjectError("lease", "has a time to live of \(milliseconds) ms")
        }
        ttl = .milliseconds(Int64(milliseconds))
        head = try reader.point("head")
        begin = try reader.id("begin", SessionID.self).rawValue
        continues = nil
        if reader.rest["continues"] != nil {
            let places: [SessionID] = try reader.ids("continues")
            guard places.count == 2 else { throw reader.wrong("continues", "two transactions") }
            continues = Continuation(since: places[0].rawValue, through: places[1].rawValue)
        }
        origin = nil
        if let members = try reader.optionalMembers("origin") {
            var part = ObjectReader(members, within: reader)
            origin = Origin(
                epoch: Epoch(rawValue: try part.integer("epoch")),
                node: try part.id("node"),
                first: try part.id("first", SessionID.self).rawValue,
                since: part.rest["since"] == nil ? .zero : Epoch(rawValue: try part.integer("since")),
                hasEarlierSeals: try part.optionalBool("earlier_seals") ?? false
            )
        }
        copyAt = try reader.optionalID("copy").map { (id: SessionID) in id.rawValue } ?? 0
        guard Int64(exactly: copyAt) != nil, Int64(exactly: head.number) != nil else {
            throw ClusterObjectError("lease", "names a transaction that no chain comes to")
        }
        eligible = try reader.ids("eligible")
        url = try reader.string("url")
        if state == .handoff, successor == nil {
            throw ClusterObjectError("lease", "is handed over, and does not say to whom")
        }
        other = reader.rest
    }
}

extension Duration {
    /// Whole milliseconds, rounded down.
    var milliseconds: Int64 {
        Int64(clamping: components.seconds) * 1000 + components.attoseconds / 1_000_000_000_000_000
    }
}
