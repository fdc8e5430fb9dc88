import Logging
import ObjectStorage
import Replication

/// The way back onto the chain, for a database that holds what the chain does not (failover-review N11).
extension NodeDriver {
    /// Puts the database into the chain's newest state: by the pages that differ, else by a restore beside.
    func rewind(_ ticket: Ticket, _ chain: ChainStore) async {
        if let end = await rewindByPages(chain) { return inbox.post(.rewound(ticket, end)) }
        let path = chain.folder.temporaryFile("rewind")
        do {
            let (state, pageSize, node) = try await restore(chain, to: path)
            if let size = await database.pageSize, size != pageSize {
                let words =
                    "The chain in \(chain) has pages of \(pageSize) bytes, this database of \(size): it is "
                    + "another database. Name the right one, or move \(database.path) away to restore it anew."
                try await onDisk { try Disk.remove(path) }
                return inbox.post(.broken(words))
            }
            let isDone = try await database.rewind(to: path, state)
            try await onDisk { try Disk.remove(path) }
            if isDone { fork = nil }
            logger.info("The database was put back by a restore", metadata: ["position": "\(state.number)"])
            inbox.post(.rewound(ticket, isDone ? ChainEnd(state, node: node) : nil))
        } catch {
            logger.warning("The database could not be put back on the chain yet", metadata: ["error": "\(error)"])
            lastAlarm = "\(error)"
            try? await onDisk { try Disk.remove(path) }  // else the next start removes it
            inbox.post(.rewound(ticket, nil))
        }
    }

    /// - Returns: `nil` where the fork is not known, too much differs, or the checksum does not fit: nothing was written.
    private func rewindByPages(_ chain: ChainStore) async -> ChainEnd? {
        guard let fork else { return nil }
        do {
            try await checkThatChainHasBegun(chain)
            let pages = ChainPages(chain.replica, scratch: chain.folder.temporaryFile("index"))
            guard let (touched, pageCount, pageSize) = try await database.divergence(behind: fork.number),
                let difference = try await pages.newest(
                    behind: fork.number,
                    touched: touched,
                    pageCount: pageCount,
                    pageSize: pageSize
                ),
                difference.state.number > core?.beginning ?? 0, try await database.rewind(by: difference)
            else { return nil }
            self.fork = nil
            logger.info(
                "The database was put back by the pages that differ",
                metadata: ["fork": "\(fork)", "position": "\(difference.state.number)"]
            )
            return ChainEnd(
                difference.state,
                node: difference.node == 0 ? nil : NodeID(rawValue: difference.node)
            )
        } catch {
            // The restore says what is wrong, if it still is.
            logger.debug("The pages that differ could not be had", metadata: ["error": "\(error)"])
            return nil
        }
    }
}

extension ChainEnd {
    init(_ state: ChainState, node: NodeID?) {
        self.init(point: ChainPoint(state), epoch: Epoch(rawValue: state.epoch), node: node)
    }
}
