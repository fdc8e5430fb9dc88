import Cluster
import SQLiteReplicate

/// What is shown of two hosts with a store each.
extension ClusterOutput {
    /// What there is instead of a lease, or to be done.
    func trouble(_ two: TwoStoreSurvey) -> (words: String, code: Int32)? {
        if let advice { return (advice, NodeExit.needsOperator) }
        if let words = two.witnessTrouble { return (words, 1) }
        guard two.survey.lease == .absent else { return nil }
        let troubles = [two.own, two.peer].compactMap(\.trouble)
        guard troubles.isEmpty else { return (troubles.joined(separator: " "), 1) }
        return (
            "Neither \(two.own.name) nor \(two.peer.name) holds a cluster that has begun: 'service' or 'cluster init' begins "
                + "one, on the host that has the database.", 1
        )
    }

    /// The stores, for people.
    func table(_ two: TwoStoreSurvey) -> String {
        var table = TextTable("store", "on", "ends at", "holds")
        for row in storeRows(two) { table.add(row.store, row.name ?? "-", row.end ?? "-", Self.words(row)) }
        return table.text
    }

    private static func words(_ row: StoreRow) -> String {
        if let trouble = row.trouble { return trouble }
        return switch row.standing {
        case .unknown: "-"
        case .unused: "no history yet"
        case .current: "all that was acknowledged"
        case .pending: "not all of it yet: only the primary may take over"
        case .earlier: "an earlier state, for the primary ships to the other one"
        case .behind: "less than was acknowledged: it gets a whole copy"
        }
    }

    /// One of the stores in the document of `-json`.
    struct StoreRow: Encodable {
        /// `own` or `peer`.
        var site: String
        var store: String
        /// The node whose host it is on.
        var node: String?
        var name: String?
        var end: String?
        var holds: String
        var trouble: String?
        var standing: StoreStanding

        enum CodingKeys: String, CodingKey { case site, store, node, name, end, holds, trouble }
    }

    func storeRows(_ two: TwoStoreSurvey) -> [StoreRow] {
        [("own", two.own), ("peer", two.peer)].map { site, store in
            let host = store.record?.host
            return StoreRow(
                site: site,
                store: store.name,
                node: host.map { "\($0)" },
                name: host.map { name($0) } ?? (store.record == nil ? nil : "nobody yet"),
                end: store.end.map { TransactionNumber.text($0) },
                holds: store.standing.rawValue,
                trouble: store.trouble,
                standing: store.standing
            )
        }
    }
}
