import Cluster
import ObjectStorage
import SQLiteReplicate

/// A cluster as its store tells of it, for people and as JSON.
struct ClusterOutput {
    let survey: ClusterSurvey
    /// The store, for people.
    let place: String
    /// What each of two stores tells; `nil` where all nodes share one.
    let two: TwoStoreSurvey?
    /// What is to be done there.
    let advice: String?

    init(_ survey: ClusterSurvey, place: String) { (self.survey, self.place, two, advice) = (survey, place, nil, nil) }

    init(_ status: Commands.TwoStoreStatus) {
        (survey, place) = (status.survey.survey, status.survey.own.name)
        (two, advice) = (status.survey, status.advice)
    }

    private var lease: Lease? {
        guard case .body(let lease) = survey.lease else { return nil }
        return lease
    }

    /// What there is instead of a lease.
    var trouble: (words: String, code: Int32)? {
        if let two { return trouble(two) }
        return switch survey.lease {
        case .body: nil
        case .absent where survey.hasTraces:
            (
                "\(place) has lost the lease of its cluster. When no node writes any more: 'cluster repair "
                    + "-recreate-lease'.", NodeExit.needsOperator
            )
        case .absent: ("\(place) holds no cluster: 'service' or 'cluster init' begins one.", 1)
        case .unfit(let why): (why, NodeExit.needsOperator)
        }
    }

    /// Who may write, in words.
    static func state(_ lease: Lease) -> String {
        let writer = lease.epoch == .zero ? "" : ", last held by \(lease.name)"
        return switch lease.state {
        case .held: "held by \(lease.name) (\(lease.node))"
        case .moved: "moved to the other host's store by \(lease.name) (\(lease.node))"
        case .free: "free\(writer)"
        case .handoff: "handed to \(lease.successor.map { "\($0)" } ?? "nobody")\(writer)"
        }
    }

    /// The name of a node, as far as it is known.
    func name(_ node: NodeID) -> String {
        survey.nodes.first { $0.record.node == node }?.record.name ?? (lease?.node == node ? lease?.name : nil)
            ?? "\(node)"
    }

    // MARK: - Text

    var text: String {
        var text = ""
        if let lease {
            for (key, value) in places + [
                ("cluster", "\(lease.cluster)"), ("epoch", "\(lease.epoch)"),
                ("lease", Self.state(lease)), ("head", TransactionNumber.text(lease.head.number)),
                ("begin", TransactionNumber.text(lease.begin)), ("ttl", Commands.text(of: lease.ttl)),
            ] {
                text += key + String(repeating: " ", count: 9 - key.count) + value + "\n"
            }
        }
        if let two { text += (text.isEmpty ? "" : "\n") + table(two) }
        if !memberRows.isEmpty {
            var table = TextTable("node", "id", "role", "eligible", "position", "version", "url", "written")
            for row in memberRows {
                table.add(
                    row.name,
                    row.node,
                    row.role ?? "-",
                    row.isEligible ? "yes" : "no",
                    row.position ?? "-",
                    row.version ?? "-",
                    row.url ?? "-",
                    row.written ?? "never"
                )
            }
            text += (text.isEmpty ? "" : "\n") + table.text
        }
        if !survey.epochs.isEmpty {
            var table = TextTable("epoch", "node", "first", "cause", "began")
            for row in epochRows { table.add("\(row.epoch)", name(row), row.first, row.cause, row.began) }
            text += (text.isEmpty ? "" : "\n") + table.text
        }
        for problem in survey.problems { text += "\nproblem: \(problem)" }
        return text + (survey.problems.isEmpty ? "" : "\n")
    }

    /// Where all of it lies.
    private var places: [(String, String)] {
        [("store", place)] + (two.map { [("peer", $0.peer.name), ("witness", $0.witness)] } ?? [])
    }

    private func name(_ row: EpochRow) -> String { NodeID(row.node).map { name($0) } ?? row.node }

    // MARK: - JSON

    /// The document of `-json`.
    struct Document: Encodable {
        var store: String
        var cluster: String?
        var epoch: UInt64?
        var lease: LeaseRow?
        var nodes: [MemberRow]
        var epochs: [EpochRow]
        var problems: [String]
        var witness: String?
        var stores: [StoreRow]?
        var advice: String?
    }

    struct LeaseRow: Encodable {
        var state: String
        var node: String
        var name: String
        var successor: String?
        var url: String
        var head: String
        var begin: String
        var ttlMs: Int64
        var eligible: [String]
    }

    struct MemberRow: Encodable {
        var node: String
        var name: String
        var url: String?
        var version: String?
        var role: String?
        var position: String?
        var isEligible: Bool
        var written: String?

        enum CodingKeys: String, CodingKey {
            case node, name, url, version, role, position, written
            case isEligible = "eligible"
        }
    }

    struct EpochRow: Encodable {
        var epoch: UInt64
        var node: String
        var first: String
        var parent: String
        var parentEpoch: UInt64
        var cause: String
        var began: String
    }

    var document: Document {
        Document(
            store: place,
            cluster: (lease?.cluster ?? two?.cluster).map { "\($0)" },
            epoch: lease?.epoch.rawValue,
            lease: lease.map { lease in
                LeaseRow(
                    state: lease.state.rawValue,
                    node: "\(lease.node)",
                    name: lease.name,
                    successor: lease.successor.map { "\($0)" },
                    url: lease.url,
                    head: TransactionNumber.text(lease.head.number),
                    begin: TransactionNumber.text(lease.begin),
                    ttlMs: lease.ttl.components.seconds * 1000 + lease.ttl.components.attoseconds
                        / 1_000_000_000_000_000,
                    eligible: lease.eligible.map { "\($0)" }
                )
            },
            nodes: memberRows,
            epochs: epochRows,
            problems: survey.problems,
            witness: two?.witness,
            stores: two.map(storeRows),
            advice: advice
        )
    }

    /// All nodes that are known: those with a record, and those that may claim and have none yet.
    private var memberRows: [MemberRow] {
        let eligible = Set(lease?.eligible ?? [])
        let known = survey.nodes.map { node in
            MemberRow(
                node: "\(node.record.node)",
                name: node.record.name,
                url: node.record.url.isEmpty ? nil : node.record.url,
                version: node.record.version.isEmpty ? nil : node.record.version,
                role: node.record.role.rawValue,
                position: TransactionNumber.text(node.record.position.number),
                isEligible: eligible.contains(node.record.node),
                written: Commands.rfc3339(milliseconds: node.written.rawValue)
            )
        }
        let silent = eligible.subtracting(survey.nodes.map(\.record.node)).sorted().map { node in
            MemberRow(node: "\(node)", name: name(node), isEligible: true)
        }
        return known + silent
    }

    private var epochRows: [EpochRow] {
        survey.epochs.map { era in
            EpochRow(
                epoch: era.record.epoch.rawValue,
                node: "\(era.record.node)",
                first: TransactionNumber.text(era.record.first),
                parent: TransactionNumber.text(era.record.parent.number),
                parentEpoch: era.record.parentEpoch.rawValue,
                cause: era.record.cause.rawValue,
                began: Commands.rfc3339(milliseconds: era.written.rawValue)
            )
        }
    }
}
