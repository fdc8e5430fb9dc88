import LTX
package import SystemPackage

/// A state of a chain of transactions: the newest one, the database's checksum then, and the epoch of its file.
package struct ChainState: Hashable, Sendable {
    /// The newest transaction's number; 0 before the first one.
    package var number: UInt64
    /// The checksum of the database after it.
    package var checksum: UInt64
    /// The epoch in which its file was written; 0 outside a cluster.
    package var epoch: UInt64

    /// Takes what is known of a state.
    package init(number: UInt64, checksum: UInt64, epoch: UInt64) {
        (self.number, self.checksum, self.epoch) = (number, checksum, epoch)
    }
}

/// Where a database that follows has been, one line for each step, in a file that only grows until it is made anew.
///
/// A line says that the database is about to get to a state, or that it stands there. Each has its own checksum: a torn
/// or foreign line ends what is read. What is about to happen is durable before it does, so that a node that dies
/// in between knows its database again.
///
/// It belongs to one thread at a time; all its methods block.
package final class PositionJournal {
    /// The newest place that is known to be on the chain and in the database.
    package private(set) var recorded: ChainState?
    /// A place that the database was about to get to after that.
    package private(set) var intended: ChainState?
    /// Earlier places, ascending in time.
    package private(set) var older: [ChainState] = []
    /// Whether the chain begins, or begins anew, with this database, which has not been sealed yet.
    package private(set) var isFounding = false

    private let path: FilePath
    private let mode: UInt32
    private var descriptor: FileDescriptor?
    private var lineCount = 0

    /// How many places are remembered.
    private static let limit = 4096
    private static let lineByteCount = 70

    private enum Kind: Character {
        case recorded = "p"
        case intended = "i"
        case founding = "f"
    }

    /// Reads a journal; one that is not there is empty.
    package init(_ path: FilePath, mode: UInt32) throws {
        (self.path, self.mode) = (path, mode)
        let bytes = try Disk.contents(of: path, limit: 4 * Self.limit * Self.lineByteCount) ?? []
        for start in stride(from: 0, through: bytes.count - Self.lineByteCount, by: Self.lineByteCount) {
            guard let (kind, state) = Self.parse(bytes[start..<start + Self.lineByteCount]) else { break }
            take(kind, state)
            lineCount += 1
        }
    }

    deinit {
        try? descriptor?.close()  // what had to be durable was synced
    }

    /// Says that the database stands at a place.
    package func record(_ state: ChainState) throws {
        guard state != recorded || intended != nil || isFounding else { return }
        // A beginning that is over must not come back: it takes whatever the database holds for the chain's.
        try append(.recorded, state, isDurable: isFounding)
    }

    /// Says that the database is about to get to a place; durable.
    package func intend(_ state: ChainState) throws { try append(.intended, state, isDurable: true) }

    /// Says that the chain begins with this database, behind this place; durable.
    package func found(at state: ChainState) throws { try append(.founding, state, isDurable: true) }

    /// Takes back that the chain begins with this database: the place before that counts again; durable.
    package func withdrawFounding() throws {
        guard isFounding else { return }
        guard let before = older.popLast() else { return try forget() }
        (recorded, intended, isFounding) = (before, nil, false)
        try rewrite()
    }

    /// Forgets all places; durable.
    package func forget() throws {
        try? descriptor?.close()  // what it wrote goes with the file
        (descriptor, lineCount) = (nil, 0)
        try Disk.remove(path)
        try Disk.syncFolder(path.removingLastComponent())
        (recorded, intended, older, isFounding) = (nil, nil, [], false)
    }

    private func append(_ kind: Kind, _ state: ChainState, isDurable: Bool) throws {
        take(kind, state)
        if lineCount >= 2 * Self.limit { try rewrite() }
        let file = try opened()
        do {
            try file.writeAll(
                toAbsoluteOffset: Int64(lineCount * Self.lineByteCount),
                Array(Self.line(kind, state).utf8)
            )
        } catch let error as Errno {
            throw FileFailure("writing", path, error.rawValue)
        }
        lineCount += 1
        if isDurable { try Disk.syncData(file, path) }
    }

    private func take(_ kind: Kind, _ state: ChainState) {
        switch kind {
        case .intended: intended = state
        case .recorded, .founding:
            // A beginning that was never sealed is no place of any chain.
            let isReplaced = isFounding && kind == .founding
            if let recorded, recorded != state, !isReplaced { older.append(recorded) }
            if older.count > Self.limit { older.removeFirst(older.count - Self.limit) }
            (recorded, intended, isFounding) = (state, nil, kind == .founding)
        }
    }

    private func opened() throws -> FileDescriptor {
        if let descriptor { return descriptor }
        do {
            let isNew = try FileStatus(path: path) == nil
            let file = try FileDescriptor.open(
                path,
                .writeOnly,
                options: [.create, .closeOnExec],
                permissions: FilePermissions(rawValue: CInterop.Mode(mode))
            )
            descriptor = file
            // What a torn line has left behind the last whole one must not be read some day.
            try file.resize(to: Int64(lineCount * Self.lineByteCount))
            if isNew { try Disk.syncFolder(path.removingLastComponent()) }
            return file
        } catch let error as Errno {
            throw FileFailure("opening", path, error.rawValue)
        }
    }

    /// Drops what is too old.
    private func rewrite() throws {
        var lines = older.map { Self.line(.recorded, $0) }
        if let recorded { lines.append(Self.line(isFounding ? .founding : .recorded, recorded)) }
        try? descriptor?.close()  // it is read anew below
        descriptor = nil
        try Disk.replace(path, with: Array(lines.joined().utf8), mode: mode, durable: true)
        lineCount = lines.count
    }

    // MARK: - Lines

    private static func line(_ kind: Kind, _ state: ChainState) -> String {
        let text = "\(kind.rawValue) \(hex(state.number)) \(hex(state.checksum)) \(hex(state.epoch))"
        return "\(text) \(hex(unsafe CRC64.checksum(of: Array(text.utf8).span.bytes)))\n"
    }

    private static func parse(_ bytes: ArraySlice<UInt8>) -> (Kind, ChainState)? {
        let words = String(decoding: bytes, as: UTF8.self).dropLast().split(separator: " ")
        guard bytes.last == UInt8(ascii: "\n"), words.count == 5, let kind = words[0].first.flatMap(Kind.init),
            let number = UInt64(words[1], radix: 16), let checksum = UInt64(words[2], radix: 16),
            let epoch = UInt64(words[3], radix: 16)
        else { return nil }
        let state = ChainState(number: number, checksum: checksum, epoch: epoch)
        guard Array(line(kind, state).utf8) == Array(bytes) else { return nil }
        return (kind, state)
    }

    private static func hex(_ value: UInt64) -> String {
        let digits = String(value, radix: 16)
        return String(repeating: "0", count: 16 - digits.utf8.count) + digits
    }
}
