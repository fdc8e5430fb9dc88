public import LTX

extension ReplicaListing {
    /// The highest transaction that can be reached from the first one without a hole; `nil` if there is none.
    ///
    /// This, and not the highest transaction in the listing, is what a replica can be said to hold: uploads go on
    /// above a hole, but nobody can restore what lies there.
    public var highestContiguous: TransactionID? {
        guard let first = TransactionCoverage(files.map(\.range)).ranges.first, first.lowerBound == 1 else {
            return nil
        }
        return TransactionID(rawValue: first.upperBound)
    }

    /// The transactions up to the listing's highest one that no file of any level carries.
    ///
    /// Each of them was a level-0 file that vanished or never arrived: it is to be uploaded again from local files, or
    /// bridged by a snapshot.
    public var missing: [ClosedRange<TransactionID>] {
        TransactionCoverage(files.map(\.range)).gaps(above: 0)
    }
}

extension [ClosedRange<TransactionID>] {
    /// The ranges in words, the first few of many.
    var words: String {
        var text = prefix(4).map {
            $0.lowerBound == $0.upperBound ? "\($0.lowerBound)" : "\($0.lowerBound) to \($0.upperBound)"
        }
        .joined(separator: ", ")
        if count > 4 { text += " and \(count - 4) more ranges" }
        return text
    }
}
