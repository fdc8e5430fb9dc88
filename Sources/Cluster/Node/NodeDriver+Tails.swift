import Logging
import ObjectStorage
import Replication
import SystemPackage

extension NodeDriver {
    /// Keeps what only this database holds aside, the write lock held (N11).
    func quarantine(_ ticket: Ticket, _ fork: ChainPoint?) async {
        switch configuration.tailPolicy {
        case .halt:
            let words =
                "This database holds commits that the chain does not, and 'tail-policy' is 'halt': look at "
                + "\(database.path), then set it to 'quarantine' and start again."
            return inbox.post(.broken(words))
        case .discard:
            logger.warning("Commits that the chain does not hold are discarded, as 'tail-policy' says")
            return inbox.post(.quarantined(ticket))
        case .quarantine: break
        }
        while !Task.isCancelled {
            do {
                let request = try await tailRequest(fork)
                let tail = try await onDisk { try TailKeeper.keep(request) }
                logger.warning(
                    "A tail was kept: commits of this node that the chain does not hold",
                    metadata: ["tail": "\(tail.manifest.id)", "fork": "\(fork?.description ?? "unknown")"]
                )
                inbox.post(.quarantined(ticket))
                return await synchronizeTails()
            } catch {
                logger.error("A tail could not be kept, trying again", metadata: ["error": "\(error)"])
                lastAlarm = "\(error)"
                try? await Pause.sleep(for: .seconds(1))  // cancelled: the loop ends
            }
        }
    }

    private func tailRequest(_ fork: ChainPoint?) async throws -> TailKeeper.Request {
        let recorded = try await database.recordedState()
        let folder = try await database.folder()
        let files = try await database.files(behind: (fork?.number ?? recorded?.number) ?? 0)
        let byteCount = await database.byteCount ?? .max
        return TailKeeper.Request(
            database: database.path,
            metadata: folder.root,
            node: identity?.node ?? NodeID(rawValue: 0),
            name: configuration.name,
            epoch: Epoch(rawValue: recorded?.epoch ?? 0),
            fork: fork,
            recorded: recorded.map { ChainPoint($0) } ?? .start,
            files: files,
            copiesDatabase: byteCount <= TailKeeper.copyLimit
        )
    }

    /// Puts tails into the store that are not there yet, learns of those that were acknowledged, and counts the others.
    func synchronizeTails() async {
        guard let folder = try? await database.folder() else { return }
        let local = LocalTails(metadata: folder.root)
        do {
            openTails = try await onDisk { try local.unacknowledgedCount() }
            guard openTails > 0 || hasTails else { return }
            hasTails = true
            let tails = TailStore(own.replica.store, layout: own.layout, local: local)
            openTails = try await tails.synchronize().count
            _ = try await tails.purge()
        } catch {
            logger.info("Tails wait for the store", metadata: ["error": "\(error)"])
        }
    }
}
