import LTX
import Logging
import ObjectStorage
import Replication

/// The files of the chain on their way to the database: fetched when the core asks, or a little before.
extension NodeDriver {
    /// Answers the core's question for a file: from what was read ahead, or by a request.
    func fetch(_ ticket: Ticket, _ number: UInt64, _ chain: ChainStore, _ group: inout DiscardingTaskGroup) {
        switch ahead.take(number, for: ticket) {
        case .file(let file): group.addTask { await self.fetched(ticket, ChainStore.Fetched(file)) }
        case .underWay: break
        case .nothing:
            let (unwanted, isLarge) = (ahead.dropFiles(), ahead.expectsLarge)
            group.addTask {
                await self.discard(unwanted)
                await self.fetched(ticket, await chain.fetch(number, isLarge: isLarge))
            }
        }
    }

    /// Begins to fetch what the core will ask for once it has applied the file of transaction `number`.
    func readAhead(behind number: UInt64, _ chain: ChainStore, _ group: inout DiscardingTaskGroup) {
        for request in ahead.requests(from: number + 1) {
            group.addTask {
                await self.arrived(await chain.fetch(request.number, isLarge: request.isLarge), request, chain)
            }
        }
    }

    /// Nothing that was read ahead is wanted any more.
    func dropAhead(_ group: inout DiscardingTaskGroup) {
        let unwanted = ahead.drop()
        if !unwanted.isEmpty { group.addTask { await self.discard(unwanted) } }
    }

    private func arrived(_ result: ChainStore.Fetched, _ request: ReadAhead.Request, _ chain: ChainStore) async {
        let arrival = ahead.arrived(result.file, request)
        await discard(arrival.unwanted)
        guard let ticket = arrival.ticket else { return }
        guard result.file == nil else { return await fetched(ticket, result) }
        // The request was sent before the core asked: that there was nothing then proves nothing (N4).
        await fetched(ticket, await chain.fetch(request.number, isLarge: request.isLarge))
    }

    /// Tells the core what a fetch has brought.
    func fetched(_ ticket: Ticket, _ result: ChainStore.Fetched) async {
        // What was asked for before the core changed its mind must not take the place of what it asked for since.
        guard core?.step?.ticket == ticket else {
            await discard([result.file].compactMap(\.self))
            return
        }
        switch result.answer {
        case .damaged(let words): note(ChainTrouble(words: words, isBlocking: true))
        case .failed: note(ChainTrouble(words: result.error?.message ?? "a file could not be fetched"))
        case .absent, .foreign: note(nil)
        // Whether it can be applied is still to be seen.
        case .file: break
        }
        let old = fetched
        fetched = result.file
        ahead.noteAnswer(result.file)
        var answer = result.answer
        if let file = result.file, let joined = joinFollowing(file) {
            fetched = joined
            answer = .file(FileMark(joined))
        }
        await discard([old].compactMap(\.self))
        if let file = result.file, let size = await database.pageSize, file.header.pageSize != size {
            let words =
                "The chain in \(own) has pages of \(file.header.pageSize) bytes, this database of \(size): it "
                + "is another database. Name the right one, or move \(database.path) away to restore it anew."
            return inbox.post(.broken(words))
        }
        inbox.post(.fetched(ticket, answer))
    }

    /// Joins a file with those behind it that are at hand: one commit, and its syncs, for all of them (N10).
    ///
    /// Not where the database is ahead of the chain or where this node claims: then each file is judged by itself.
    private func joinFollowing(_ file: DecodedTransaction) -> DecodedTransaction? {
        guard let core, core.role == .standby, core.ahead.isEmpty else { return nil }
        let following = ahead.takeFollowing(file)
        guard !following.isEmpty else { return nil }
        for file in following { ahead.noteAnswer(file) }
        return DecodedTransaction.joining([file] + following)
    }

    /// Gives the room of files back.
    func discard(_ files: [DecodedTransaction]) async {
        for path in files.compactMap(\.path) {
            do { try await onDisk { try Disk.remove(path) } } catch {
                // A cancelled task does not reach the pool; and if this does not succeed either, the next start does.
                try? Disk.remove(path)
            }
        }
    }
}
