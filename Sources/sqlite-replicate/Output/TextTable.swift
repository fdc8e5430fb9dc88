/// Columns of text for people, each as wide as its widest cell, two spaces between them.
struct TextTable {
    private var rows: [[String]]

    /// Begins with the headings.
    init(_ headings: String...) { rows = [headings] }

    /// Adds a row; it has as many cells as there are headings.
    mutating func add(_ cells: String...) { rows.append(cells) }

    /// The rows, a line each; nothing stands behind the last column.
    var text: String {
        var widths: [Int] = []
        for row in rows {
            for (column, cell) in row.enumerated() {
                if column == widths.count { widths.append(0) }
                widths[column] = max(widths[column], cell.count)
            }
        }
        return rows.map { row in
            let padded = row.dropLast().enumerated().map { column, cell in
                cell + String(repeating: " ", count: widths[column] - cell.count)
            }
            return (padded + row.suffix(1)).joined(separator: "  ") + "\n"
        }.joined()
    }
}
