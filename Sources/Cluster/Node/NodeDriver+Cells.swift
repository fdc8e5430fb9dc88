import Logging
import ObjectStorage
import Replication

/// The cells in the stores of two hosts without a witness (failover-review W1).
extension NodeDriver {
    /// Reads or swaps one.
    func performCell(_ action: NodeAction, _ group: inout DiscardingTaskGroup) {
        let (places, inbox) = (places, inbox)
        // An answer that comes later helps nobody.
        let limit = configuration.ttl / 3
        switch action {
        case .readCell(let ticket, let site):
            group.addTask {
                guard await self.recognizes(site) else { return inbox.post(.cellRead(ticket, site, .failed)) }
                let (reading, error) = await withTimeLimit(limit, late: (.failed, nil)) {
                    await places.cell(site).read()
                }
                await self.noteCell(site, reading == .failed ? error?.message ?? "it does not answer." : nil)
                inbox.post(.cellRead(ticket, site, reading))
            }
        case .swapCell(let ticket, let site, let lease, let condition):
            group.addTask {
                let (answer, error) = await withTimeLimit(limit, late: (.unknown, nil)) {
                    await places.cell(site).swap(lease, condition: condition)
                }
                await self.noteCell(site, answer == .unknown ? error?.message ?? "it does not answer." : nil)
                inbox.post(.cellSwapped(ticket, site, answer))
            }
        default: break
        }
    }

    /// Notes whether a store's cell can be had.
    private func noteCell(_ site: ChainSite, _ error: String?) {
        guard !Task.isCancelled else { return }
        let name = site == .own ? "this host's store" : "the peer's store"
        if let error, cellErrors[site] == nil { logger.warning("\(name) is away", metadata: ["error": "\(error)"]) }
        if error == nil, cellErrors[site] != nil { logger.info("\(name) answers again") }
        cellErrors[site] = error
    }

    /// Without a witness the head must be in the cell before anything below it is deleted: asks for it now and then.
    func askForHead(at now: Moment) {
        guard places.topology == .paired, core?.role == .primary, primary?.isUnsettled == false, now >= nextHead else {
            return
        }
        nextHead = now + configuration.database.retention.level0CheckInterval
        inbox.post(.retentionDue)
    }
}
