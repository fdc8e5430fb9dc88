import Cluster

/// What every simulated store does with its chain.
protocol ChainStore {
    /// What each node's record says.
    var nodeRecords: [NodeID: UInt64] { get set }

    /// The level-0 file of a number, if it lies there.
    func file(at number: UInt64) -> FetchedFile?
    /// A file of a higher level, or with all pages, that leads on from before a number.
    func coveringFile(_ number: UInt64) -> FetchedFile?
    /// Creates a level-0 file only if nothing lies at its place.
    mutating func put(_ file: SimulatedFile) -> CreateAnswer
    mutating func createRecord(_ record: EpochRecord) -> CreateAnswer
}

/// What a node has fetched, to be applied.
struct FetchedFile {
    var mark: FileMark
    var history: History
    /// Whether it needs none before it.
    var isWhole = false

    init(mark: FileMark, history: History) { (self.mark, self.history) = (mark, history) }

    init(_ file: SimulatedFile) { (mark, history, isWhole) = (file.mark, file.history, file.isWhole) }
}

extension ChainStore {
    /// Does what is asked of the chain. No event: that has no answer, or is none of this.
    mutating func carryOut(_ request: Request) -> (event: NodeEvent?, fetched: FetchedFile?) {
        let ticket = request.ticket
        switch request.operation {
        case .fetch(let number): return found(ticket, file(at: number))
        case .fetchMerged(let number): return found(ticket, coveringFile(number))
        case .create(let file): return (.created(ticket, put(file)), nil)
        case .record(let record): return (.recorded(ticket, createRecord(record)), nil)
        case .nodeRecord(let node, let stamp):
            nodeRecords[node] = stamp
            return (nil, nil)
        case .readNodeRecords:
            let stamps = nodeRecords.map { NodeStamp(node: $0.key, stamp: $0.value) }
            return (.nodeRecordsRead(ticket, stamps.sorted { $0.node < $1.node }), nil)
        case .readLease, .swap, .overwrite, .deleteLease, .survey, .publish, .readCell, .swapCell, .createWhole:
            return (nil, nil)
        }
    }

    private func found(_ ticket: Ticket, _ file: FetchedFile?) -> (event: NodeEvent?, fetched: FetchedFile?) {
        (.fetched(ticket, file.map { .file($0.mark) } ?? .absent), file)
    }
}

extension World {
    /// What a store has answered is on its way; what was fetched is with its node.
    mutating func take(_ answer: (event: NodeEvent?, fetched: FetchedFile?), of request: Request) -> NodeEvent? {
        if let file = answer.fetched, nodes[request.node].life == request.life { nodes[request.node].fetched = file }
        return answer.event
    }
}
