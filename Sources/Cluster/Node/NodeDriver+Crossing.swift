import LTX
import Logging
import ObjectStorage
import Replication

/// The stores of two hosts, as the core wants them looked at and settled (failover-review G).
extension NodeDriver {
    /// Begins what concerns them.
    func performCrossing(_ action: NodeAction, _ group: inout DiscardingTaskGroup) {
        guard let chain else { return }
        let (inbox, primary) = (inbox, primary)
        switch action {
        case .useChain(let site):
            logger.debug("The chain", metadata: ["store": "\(chains?[site].description ?? "")"])
            self.site = site
            dropAhead(&group)
        case .survey(let ticket, let place):
            let site = site
            // By what the core knows: its engine hears of a store that has lost something with the copy only.
            let isForCopy = core?.isUnsettled == true
            // A primary that puts its copy behind that file must see whose it is.
            let end: EndLook = places.topology == .paired ? .always : isForCopy ? .readable : .none
            // Where it writes only what has come since is looked at.
            let earlier = primary != nil && !isForCopy ? checkedThrough : 0
            group.addTask {
                guard await self.recognizes(site) else { return inbox.post(.surveyed(ticket, nil)) }
                if isForCopy, let primary, let words = await primary.objection(to: chain) {
                    await self.note(ChainTrouble(words: words))
                    return inbox.post(.surveyed(ticket, nil))
                }
                let (survey, error) =
                    earlier > 0
                    ? await chain.check(place, since: earlier, end: end)
                    : await chain.survey(place, end: end)
                await self.noteSurvey(survey, of: place, error)
                inbox.post(.surveyed(ticket, survey))
            }
        case .createCopy(let ticket, _, let number):
            guard let primary else { return }
            logger.notice("The peer's store gets a whole copy", metadata: ["from": "\(number)", "store": "\(chain)"])
            // At once: what is closed from here on must not be collected before the copy.
            primary.beginCopy()
            group.addTask { inbox.post(.copied(ticket, await self.makeCopy(primary, from: number))) }
        case .publishCopy(let ticket, let mark):
            group.addTask { inbox.post(.published(ticket, await self.publishCopy(primary, mark))) }
        case .captureAll(let ticket):
            group.addTask {
                // Where that fails nothing is told: the node has ended, or there is something that only its database holds.
                guard (try? await primary?.captureEverything()) == true else { return }
                inbox.post(.capturedAll(ticket))
            }
        default: break
        }
    }

    private func noteSurvey(_ survey: StoreSurvey?, of place: ChainPoint, _ error: String?) {
        note(error.map { ChainTrouble(words: "the store does not answer: \($0)") })
        if let survey { checkedThrough = survey.holds && primary != nil ? place.number : 0 }
    }

    private func makeCopy(_ primary: PrimaryEngine, from number: UInt64) async -> FileMark? {
        do {
            let copy = try await primary.makeCopy(from: number)
            failedCopies = 0
            return FileMark(copy)
        } catch is CancellationError {
            return nil
        } catch {
            logger.error("A whole copy could not be made, trying again", metadata: ["error": "\(error)"])
            note(ChainTrouble(words: "a whole copy for the peer's store could not be made: \(error)"))
            failedCopies += 1
            // It reads the whole database, perhaps only to find the disk full again.
            try? await Pause.sleep(for: configuration.ttl / 30 * (1 << min(failedCopies, 10)))  // cancelled: it ends
            return nil
        }
    }

    private func publishCopy(_ primary: PrimaryEngine?, _ mark: FileMark) async -> Bool {
        guard let primary, primary.waitingCopy.map({ FileMark($0) == mark }) ?? false else { return false }
        do {
            try await primary.publishCopy()
            logger.notice("The peer's store holds the whole history", metadata: ["position": "\(mark.point)"])
            return true
        } catch {
            note(ChainTrouble(words: "the whole copy could not be laid beside the chain: \(error)"))
            return false
        }
    }
}
