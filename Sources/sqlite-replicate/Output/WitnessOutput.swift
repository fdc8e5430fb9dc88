import SQLiteReplicate

/// What a witness tells of itself, for people and as JSON.
struct WitnessOutput {
    let report: WitnessReport

    init(_ report: WitnessReport) { self.report = report }

    var text: String {
        var text = ""
        let facts = [
            ("witness", report.place), ("file", report.witness), ("version", report.version),
            ("state", report.trouble == nil ? "well" : "in trouble"),
        ]
        for (key, value) in facts {
            if let value { text += key + String(repeating: " ", count: 9 - key.count) + value + "\n" }
        }
        guard !report.cells.isEmpty else { return text + "\nIt holds no cells.\n" }
        var table = TextTable("cluster", "size", "changed", "revision")
        for cell in report.cells { table.add(cell.name, "\(cell.size)", cell.changed, cell.revision ?? "-") }
        return text + "\n" + table.text
    }

    /// The document of `-json`.
    struct Document: Encodable {
        var place: String
        var witness: String?
        var version: String?
        var isWell: Bool
        var trouble: String?
        var cells: [Cell]

        enum CodingKeys: String, CodingKey {
            case place, witness, version, trouble, cells
            case isWell = "well"
        }
    }

    struct Cell: Encodable {
        var cluster: String
        var revision: String?
        var size: Int64
        var changed: String
    }

    var document: Document {
        Document(
            place: report.place,
            witness: report.witness,
            version: report.version,
            isWell: report.trouble == nil,
            trouble: report.trouble,
            cells: report.cells.map {
                .init(cluster: $0.name, revision: $0.revision, size: $0.size, changed: $0.changed)
            }
        )
    }
}
