import TestSupport

extension RandomWorkload {
    /// Carries out one step; returns whether it committed.
    func perform(_ kind: Kind, on connection: SQLiteFile) throws -> Bool {
        switch kind {
        case .insertFew:
            try commit(on: connection) { try insert(number(1...4), upTo: 900, on: connection) }
        case .insertMany:
            try commit(on: connection) { try insert(number(20...120), upTo: 900, on: connection) }
        case .insertBlob:
            let bytes = min(number(2...20) * options.pageSize, options.maximumBytes / 4)
            try commit(on: connection) { try insert(1, upTo: bytes, on: connection) }
        case .update:
            try commit(on: connection) { try update(number(1...12), on: connection) }
        case .deleteSome:
            try commit(on: connection) { try delete(number(1...30), on: connection) }
        case .deleteMost:
            try commit(on: connection) {
                try connection.query("DELETE FROM item WHERE id % ? <> 0", [.integer(Int64(number(3...20)))])
            }
        case .rollback:
            return try rollBack(on: connection) { try insert(number(1...40), upTo: 900, on: connection) }
        case .spilledRollback:
            return try spilling(on: connection) {
                try rollBack(on: connection) { try spill(on: connection) }
            }
        case .spilledCommit:
            return try spilling(on: connection) {
                try commit(on: connection) { try spill(on: connection) }
                return true
            }
        case .savepoint:
            try commit(on: connection) {
                try insert(1, upTo: 500, on: connection)
                try connection.execute("SAVEPOINT a")
                try insert(number(1...40), upTo: 900, on: connection)
                try connection.execute("ROLLBACK TO a; RELEASE a")
            }
        case .createTable: try createTable(on: connection)
        case .dropTable:
            let table = extraTables.remove(at: number(0...(extraTables.count - 1)))
            try commit(on: connection) { try connection.execute("DROP TABLE extra\(table)") }
        case .reindex:
            try commit(on: connection) {
                try connection.execute("DROP INDEX item_owner; CREATE INDEX item_owner ON item(owner)")
            }
        case .vacuum: try connection.execute("VACUUM")
        case .incrementalVacuum:
            try commit(on: connection) { try connection.execute("PRAGMA incremental_vacuum(\(number(1...40)))") }
        case .checkpoint: return try checkpoint(on: connection)
        case .reader: return try beginOrEndReader()
        case .reopen: return try reopen()
        }
        return true
    }

    /// Runs `body` in a transaction that also counts the commit.
    func commit(on connection: SQLiteFile, _ body: () throws -> Void) throws {
        try connection.transaction {
            try body()
            try connection.execute("PRAGMA user_version = \(commitNumber + 1)")
        }
        commitNumber += 1
    }

    /// Inserts rows whose bodies have up to `bytes` bytes each.
    func insert(_ rows: Int, upTo bytes: Int, on connection: SQLiteFile) throws {
        for _ in 0..<rows {
            let body = generator.bytes(number(0...bytes))
            try connection.query("INSERT INTO item(owner, body) VALUES (?, ?)", [.integer(owner()), .blob(body)])
        }
    }

    private func update(_ rows: Int, on connection: SQLiteFile) throws {
        for _ in 0..<rows {
            let body = generator.bytes(number(0...1200))
            try connection.query(
                "UPDATE item SET owner = ?, body = ? WHERE id = (SELECT max(id) - ? FROM item)",
                [.integer(owner()), .blob(body), .integer(Int64(number(0...200)))]
            )
        }
    }

    private func delete(_ rows: Int, on connection: SQLiteFile) throws {
        try connection.query(
            "DELETE FROM item WHERE id IN (SELECT id FROM item WHERE owner >= ? ORDER BY owner, id LIMIT ?)",
            [.integer(owner()), .integer(Int64(rows))]
        )
    }

    /// A transaction larger than the cache, so that SQLite writes frames into the WAL before its end.
    private func spilling(on connection: SQLiteFile, _ body: () throws -> Bool) throws -> Bool {
        try connection.execute("PRAGMA cache_size = 5")
        defer { _ = try? connection.execute("PRAGMA cache_size = 200") }  // A cache of 5 would be right too, but slow.
        return try body()
    }

    private func spill(on connection: SQLiteFile) throws {
        let rows = min(60, options.maximumBytes / 4 / options.pageSize + 8)
        try insert(rows, upTo: options.pageSize, on: connection)
        try update(10, on: connection)
    }

    private func rollBack(on connection: SQLiteFile, _ body: () throws -> Void) throws -> Bool {
        try connection.execute("BEGIN IMMEDIATE")
        try body()
        try connection.execute("ROLLBACK")
        return false
    }

    private func createTable(on connection: SQLiteFile) throws {
        tableCount += 1
        extraTables.append(tableCount)
        try commit(on: connection) {
            try connection.execute(
                "CREATE TABLE extra\(tableCount) AS SELECT id, owner, body FROM item ORDER BY id LIMIT \(number(0...40))"
            )
        }
    }

    /// An application's own checkpoint: it may find others in its way, and does not mind.
    private func checkpoint(on connection: SQLiteFile) throws -> Bool {
        let mode = SQLiteFile.CheckpointMode.allCases[number(0...3)]
        try connection.setBusyTimeout(.milliseconds(20))
        do {
            try connection.checkpoint(mode)
        } catch {
            guard error.isBusy else { throw error }
        }
        try connection.setBusyTimeout(.seconds(10))
        return false
    }

    private func beginOrEndReader() throws -> Bool {
        if let open = reader {
            open.close()
            reader = nil
        } else {
            let new = try open()
            try new.execute("BEGIN; SELECT count(*) FROM item")
            reader = new
        }
        return false
    }

    /// Closes one connection, sometimes all of them: the last one checkpoints if nobody else has the database open.
    private func reopen() throws -> Bool {
        let all = generator.happens(0.3)
        for index in connections.indices where all || index == 0 { connections[index].close() }
        for index in connections.indices where all || index == 0 { connections[index] = try open() }
        return false
    }

    private func number(_ range: ClosedRange<Int>) -> Int { Int.random(in: range, using: &generator) }

    private func owner() -> Int64 { Int64(number(0...1000)) }
}
