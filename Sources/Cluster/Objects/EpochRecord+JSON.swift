extension EpochRecord {
    /// The record as it lies in the store.
    ///
    /// - Parameter moment: When it is written, in UTC; for people only.
    public func encoded(at moment: String) -> [UInt8] {
        ObjectReader.text([
            "format": .integer(1),
            "epoch": .integer(Int64(clamping: epoch.rawValue)),
            "session": .id(session),
            "node": .id(node),
            "parent": .object([
                "epoch": .integer(Int64(clamping: parentEpoch.rawValue)),
                "txid": .id(SessionID(rawValue: parent.number)),
                "checksum": .id(SessionID(rawValue: parent.checksum)),
            ]),
            "keepFrom": .id(SessionID(rawValue: keepFrom)),
            "firstTxid": .id(SessionID(rawValue: first)),
            "cause": .string(cause.rawValue),
            "at": .string(moment),
        ])
    }

    /// Reads a record.
    ///
    /// - Throws: ``ClusterObjectError`` where something else lies there.
    public init(parsing bytes: some Sequence<UInt8>) throws(ClusterObjectError) {
        var reader = try ObjectReader(bytes, "record of an epoch")
        epoch = Epoch(rawValue: try reader.integer("epoch"))
        session = try reader.id("session")
        node = try reader.id("node")
        if case .object(let parent)? = reader.rest["parent"], case .integer(let number)? = parent["epoch"], number >= 0
        {
            parentEpoch = Epoch(rawValue: UInt64(number))
        } else {
            throw ClusterObjectError("record of an epoch", "lacks the epoch of its 'parent'")
        }
        parent = try reader.point("parent")
        keepFrom = try reader.id("keepFrom", SessionID.self).rawValue
        first = try reader.id("firstTxid", SessionID.self).rawValue
        cause = try reader.choice("cause")
    }
}
