import Logging
import ObjectStorage
import Replication
import Synchronization

/// What a node shows that follows a replica without a cluster.
struct FollowedPlace: Sendable {
    /// Where its database stands.
    var position: ChainPoint
    /// Why nobody can take over here.
    var fact: String
    /// Why it does not follow at this moment.
    var trouble: String?
}

/// Following where no lease can be held: a store that cannot fence takes replication, restores and followers, and nobody
/// ever takes over by itself there.
extension NodeDriver {
    /// Waits for a cluster, or follows without one where the store cannot hold a lease.
    ///
    /// - Returns: Whether it has followed, and is to end.
    func followOrWait(_ chain: ChainStore) async throws -> Bool {
        do {
            if verdict == nil { verdict = try await StoreProbe(own.leases, layout: own.layout).run() }
            guard case .unfit(let fact)? = verdict else {
                wait(for: "a cluster in \(own): start the node that has the database, or run `cluster init`")
                return false
            }
            guard try await !chain.replica.list().isEmpty else {
                wait(for: "a replica in \(own), which nobody can take over: \(fact)")
                return false
            }
            await followOnly(chain, fact)
            return true
        } catch let error as ObjectStoreError {
            wait(for: "the store, which does not answer: \(error.message)")
        } catch let error as ReplicaError {
            wait(for: "the store, which does not answer: \(error)")
        }
        return false
    }

    /// Follows until the node is shut down.
    func followOnly(_ chain: ChainStore, _ fact: String) async {
        logger.notice("\(StoreProbe.Verdict.explanation(fact, store: "\(own)"))")
        waitingFor = nil
        await database.wantLock()
        while !isShuttingDown.load(ordering: .sequentiallyConsistent), !Task.isCancelled {
            do {
                guard let point = try await place(chain) else {
                    throw NodeError.store(
                        "\(database.path) is at no place of the replica: move it away, and it is restored anew."
                    )
                }
                following = FollowedPlace(position: point, fact: fact)
                roles.set(.standby)
                try await follow(chain)
            } catch {
                following?.trouble = "\(error)"
                if following == nil { waitingFor = "\(error)" }
                logger.warning("Following", metadata: ["error": "\(error)"])
            }
            await inbox.wait(until: NodeClock.now + max(configuration.followInterval, .seconds(1)))
        }
        await database.close()
    }

    private func place(_ chain: ChainStore) async throws -> ChainPoint? {
        guard let finding = try await find(),
            case .stands(let point, let ahead) = JoinVerdict.decide(finding, leftOut: [])
        else { return nil }
        return ahead.isEmpty ? point : nil
    }

    /// Applies what comes, until something does not fit.
    private func follow(_ chain: ChainStore) async throws {
        var idlePolls = 0
        while !isShuttingDown.load(ordering: .sequentiallyConsistent), let position = following?.position {
            try Task.checkCancellation()
            var found = await chain.fetch(position.number + 1)
            // Without a lease nothing tells whether an absent file was merged: the levels above do, now and then.
            if found.answer == .absent, idlePolls % 10 == 9 { found = await chain.fetchMerged(position.number + 1) }
            switch found.answer {
            case .file(let mark):
                guard let file = found.file else { continue }
                let answer: ApplyAnswer
                do { answer = try await database.apply(file, from: position.checksum) } catch {
                    await discard([file])
                    throw error
                }
                await discard([file])
                guard answer == .applied else {
                    throw NodeError.store("The database does not continue to transaction \(mark.point).")
                }
                following?.position = mark.point
                following?.trouble = nil
                idlePolls = 0
                if let id = mark.point.transaction { applied.accept(id) }
            case .absent:
                idlePolls += 1
                following?.trouble = nil
                await inbox.wait(until: NodeClock.now + configuration.followInterval)
            case .failed: throw NodeError.store("\(own) does not answer.")
            case .damaged(let words): throw NodeError.store(words)
            case .foreign(let number):
                throw NodeError.store(
                    "Transaction \(ChainPoint(number: number, checksum: 0)) carries no checksum of the database: it "
                        + "was written by another program, and cannot be followed."
                )
            }
        }
    }
}
