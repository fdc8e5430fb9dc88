/// Finds the name that somebody who mistyped probably meant.
enum NearestName {
    /// The candidate with the fewest edits from `name`; of several, the first.
    static func nearest(to name: String, among candidates: some Sequence<String>) -> String? {
        var best: (name: String, edits: Int)?
        for candidate in candidates {
            let edits = editDistance(name, candidate)
            if best.map({ edits < $0.edits }) ?? true { best = (candidate, edits) }
        }
        return best?.name
    }

    /// The number of insertions, deletions, replacements and swaps of neighbours that turn one text into the other.
    static func editDistance(_ first: String, _ second: String) -> Int {
        // Longer texts are not typed by hand; the bound keeps the table small.
        let (rows, columns) = (Array(first.lowercased().prefix(100)), Array(second.lowercased().prefix(100)))
        var beforeLast = [Int](repeating: 0, count: columns.count + 1)
        var last = Array(0...columns.count)
        for row in rows.indices {
            var current = [row + 1]
            for column in columns.indices {
                let replaced = last[column] + (rows[row] == columns[column] ? 0 : 1)
                var edits = min(replaced, last[column + 1] + 1, current[column] + 1)
                if row > 0, column > 0, rows[row] == columns[column - 1], rows[row - 1] == columns[column] {
                    edits = min(edits, beforeLast[column - 1] + 1)
                }
                current.append(edits)
            }
            (beforeLast, last) = (last, current)
        }
        return last[columns.count]
    }
}
