import SQLiteReplicate
import SystemPackage

/// Writes what came of a restore.
struct RestoreAnswerOutput {
    var request: RestoreRequest
    /// The argument that named the source.
    var source: String
    var isJSON: Bool

    private struct Restored: Encodable {
        var dbPath: String
        var replica: String
        var txid: String
        var durationMs: Int64
        var integrityCheck: String
    }

    private struct Plan: Encodable {
        var source: String
        var targetPath: String
        var replica: String
        var minTxid: String
        var maxTxid: String
        var files: [FileRow]
    }

    func write(_ answer: RestoreAnswer) throws {
        let path = request.output.string
        switch answer {
        case .skippedDatabaseExists: StandardStreams.error("\(path) exists: nothing to do.\n")
        case .skippedNoBackup: StandardStreams.error("\(request.replica.displayName) holds no backup: nothing to do.\n")
        case .restored(let txid, let took):
            let milliseconds = took.components.seconds * 1000 + took.components.attoseconds / 1_000_000_000_000_000
            let restored = Restored(
                dbPath: path,
                replica: request.replica.type.description,
                txid: TransactionNumber.text(txid),
                durationMs: milliseconds,
                integrityCheck: request.integrityCheck.rawValue,
            )
            if isJSON { return try JSONOutput.write(restored) }
            StandardStreams.output("\(path) restored to transaction \(restored.txid) in \(milliseconds) ms\n")
        case .planned(let files):
            let plan = Plan(
                source: shownSource,
                targetPath: path,
                replica: request.replica.type.description,
                minTxid: TransactionNumber.text(files.map(\.minTXID).min() ?? 0),
                maxTxid: TransactionNumber.text(files.map(\.maxTXID).max() ?? 0),
                files: files.map { FileRow($0, hasName: true) },
            )
            if isJSON { return try JSONOutput.write(plan) }
            StandardStreams.output(text(plan))
        }
    }

    /// The argument without the query of a URL, which may hold keys.
    private var shownSource: String { source.contains("://") ? String(source.prefix { $0 != "?" }) : source }

    private func text(_ plan: Plan) -> String {
        var table = TextTable("level", "file", "min_txid", "max_txid", "size", "timestamp")
        for file in plan.files {
            table.add("\(file.level)", file.name ?? "", file.minTxid, file.maxTxid, "\(file.size)", file.timestamp)
        }
        return """
            Restore plan:
              source: \(plan.source)
              target: \(plan.targetPath)
              replica: \(plan.replica)
              txid range: \(plan.minTxid) - \(plan.maxTxid)

            Files to fetch:

            """ + table.text
    }
}
