import LTX
import Replication

extension ChainPoint {
    /// The place of a state.
    init(_ state: ChainState) { self.init(number: state.number, checksum: state.checksum) }

    /// The state at this place, written in an epoch.
    func state(in epoch: Epoch) -> ChainState {
        ChainState(number: number, checksum: checksum, epoch: epoch.rawValue)
    }
}

extension FileMark {
    /// What a transaction file says of itself.
    init(_ file: LocalTransaction) {
        self.init(
            point: ChainPoint(file.state),
            node: NodeID(rawValue: file.node),
            epoch: Epoch(rawValue: file.state.epoch),
            fileChecksum: file.fileChecksum
        )
    }

    /// What a file that was fetched says of itself.
    init(_ file: DecodedTransaction) {
        self.init(
            point: ChainPoint(file.state),
            node: NodeID(rawValue: file.node),
            epoch: Epoch(rawValue: file.state.epoch),
            fileChecksum: file.fileChecksum
        )
    }

    /// What a closed file of the capture engine says of itself; `nil` where it carries no mark.
    init?(_ file: ClosedFile) {
        guard let mark = file.header.sourceMark else { return nil }
        self.init(
            point: ChainPoint(number: file.transaction.rawValue, checksum: mark.checksum),
            node: NodeID(rawValue: file.header.nodeID),
            epoch: Epoch(rawValue: mark.epoch),
            fileChecksum: file.trailer.fileChecksum
        )
    }
}
