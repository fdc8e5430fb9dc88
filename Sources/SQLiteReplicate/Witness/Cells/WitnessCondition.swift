/// What must hold for a cell to be written.
enum WitnessCondition: Hashable, Sendable {
    /// There is no such cell yet.
    case absent
    /// The cell is at this revision; `nil`: at one that this witness never gave, so it never holds.
    case at(WitnessRevision?)

    /// Why headers are no condition.
    enum Problem: Error, Hashable {
        /// There is none: an unconditional write would end what the cell is for.
        case missing
        /// It is none that a cell knows: what to send.
        case unfit(String)
    }

    /// Reads the headers `If-Match` and `If-None-Match`.
    init(ifMatch: String?, ifNoneMatch: String?) throws(Problem) {
        switch (ifMatch, ifNoneMatch) {
        case (nil, nil): throw .missing
        case (_?, _?): throw .unfit("Send either 'If-Match' or 'If-None-Match', not both.")
        case (nil, let text?):
            guard text == "*" else { throw .unfit("'If-None-Match' is '*' here: the cell is not there yet.") }
            self = .absent
        case (let text?, nil):
            // A tag that was made weak on its way stands for no bytes: it matches nothing (RFC 9110, 13.1.1).
            let isWeak = text.hasPrefix("W/")
            let tag = isWeak ? text.dropFirst(2) : text[...]
            guard tag.count >= 2, tag.hasPrefix("\""), tag.hasSuffix("\""), !tag.dropFirst().dropLast().contains("\"")
            else { throw .unfit("'If-Match' is one 'ETag' as it was given, with its quotes.") }
            self = .at(isWeak ? nil : WitnessRevision(tag.dropFirst().dropLast()))
        }
    }
}
