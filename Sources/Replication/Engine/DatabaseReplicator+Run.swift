import LTX
import ObjectStorage
import ServiceLifecycle
import SystemPackage

extension DatabaseReplicator {
    /// Replicates until graceful shutdown, which ships what is left, or until the task is cancelled, which does not.
    ///
    /// A database that does not exist yet is waited for.
    ///
    /// - Throws: ``CaptureError`` for a database that cannot be replicated, ``ReplicationIncomplete`` where not all
    ///   was shipped within the time for shutdown.
    public func run() async throws { try await run(maintains: true) }

    func run(maintains: Bool) async throws {
        try await withGracefulShutdownHandler {
            try await withThrowingTaskGroup { group in
                group.addTask { try await self.captureUntilShutdown() }
                group.addTask { try await self.shipUntilDone() }
                if maintains { group.addTask { await self.maintenance.run() } }
                // Not `waitForAll`, which waits for the others even where one has thrown.
                for try await _ in group {}
            }
        } onGracefulShutdown: {
            self.state.beginShutdown()
            self.attaching.signal()
            self.maintenanceSignal.signal()
        }
        await engine.abandon()
        try Task.checkCancellation()
    }

    /// Attaches, and attaches again where the database was replaced or the spool was full.
    private func captureUntilShutdown() async throws {
        var delay = Duration.milliseconds(250)
        var isFirst = true
        while !state.isShuttingDown, !Task.isCancelled {
            do {
                if await engine.phase != .attached {
                    try await attach(isFirst: isFirst)
                    isFirst = false
                    delay = .milliseconds(250)
                    state.attached()
                    shipping.signal()
                }
                await attaching.wait(atMost: await engine.phase == .suspended ? .seconds(1) : nil)
            } catch let error as CaptureError {
                guard error.isWorthWaiting || !isFirst else { throw error }
                state.waiting(for: error)
                delay = min(delay * 2, .seconds(5))
                await attaching.wait(atMost: delay)
            }
        }
        await finishWhatNeedsTheDatabase()
        var isWhole = false
        do { isWhole = try await engine.detach() } catch { state.note(.failed("\(error)") as CaptureEvent) }
        state.captureEnded(isWhole: isWhole)
        ending.signal()
        shipping.signal()
    }

    /// Waits, at most the time for shutdown, until a copy that is under way has ended and the replica's history is
    /// proven: both need the attached database, and without them nothing could be shipped at the end. What was committed
    /// while the spool was full is captured once it is empty.
    private func finishWhatNeedsTheDatabase() async {
        while !Task.isCancelled,
            state.shutdownBegan.map({ ContinuousClock.now < $0 + settings.shutdownTimeout }) ?? false
        {
            guard await !shipper.isHalted else { return }
            if await engine.phase == .suspended {
                do { try await attach(isFirst: false) } catch { state.note(.failed("\(error)") as CaptureEvent) }
            }
            let status = await engine.status()
            let isProven = await shipper.listing != nil
            guard status.phase == .suspended || status.phase == .attached && (status.isCopying || !isProven) else {
                return
            }
            shipping.signal()
            try? await Pause.sleep(for: .milliseconds(20))  // cancelled: the loop ends
        }
    }

    /// Attaches; a database without local files asks the replica first whether it was restored from there.
    private func attach(isFirst: Bool) async throws {
        if await engine.phase == .suspended {
            // Before the replica's history is proven nothing is shipped, and that needs the database.
            let mayProve = await shipper.needsDatabase
            guard try await engine.unshippedTransactions().isEmpty || mayProve else { return }
            await engine.resumeFromSuspension()
        }
        var head: CaptureEngine.ReplicaHead?
        var highest: TransactionID?
        if isFirst, try await engine.localTransactions().isEmpty, FileStatus.exists(settings.database) {
            // A store that is away must not keep capture from starting.
            (head, highest) = await askReplica(within: .seconds(2))
        }
        try await engine.attach(head: head, highest: highest)
    }

    private func askReplica(within limit: Duration) async -> (CaptureEngine.ReplicaHead?, TransactionID?) {
        await withTaskGroup(of: (CaptureEngine.ReplicaHead?, TransactionID?).self) { group in
            group.addTask { (try? await self.replicaHead()) ?? (nil, nil) }  // the shipper asks again, and tells
            group.addTask {
                try? await Pause.sleep(for: limit)  // cancelled: the answer came first
                return (nil, nil)
            }
            defer { group.cancelAll() }
            return await group.next() ?? (nil, nil)
        }
    }

    private func replicaHead() async throws -> (CaptureEngine.ReplicaHead?, TransactionID?) {
        let listing = try await replica.list()
        guard let highest = listing.highest, listing.highestContiguous == highest,
            let newest = listing[0].last, newest.max == highest, newest.byteCount < 64 << 20
        else { return (nil, listing.highest) }
        let header = try await replica.header(of: newest)
        guard header.sourceMark != nil else { return (nil, highest) }
        let folder = engine.folderForFiles
        let path = folder.temporaryFile("head")
        // Another process may be replicating this database: nobody has looked for that yet.
        try await onDisk { try folder.prepare(sweeps: false) }
        _ = try await replica.store.download(newest.key, to: path)
        return (CaptureEngine.ReplicaHead(file: path, transaction: highest, mark: header.sourceMark), highest)
    }

    /// Ships what is closed, until capture has ended and all is shipped, or the time for shutdown is over.
    private func shipUntilDone() async throws {
        // Once the time is over, a pass under way is abandoned.
        let isDone = try await withThrowingTaskGroup(of: Bool.self) { group in
            group.addTask { try await self.shipWhatIsClosed() }
            group.addTask {
                await self.ending.wait()
                let deadline = (self.state.shutdownBegan ?? .now) + self.settings.shutdownTimeout
                try? await Pause.sleep(until: deadline)  // cancelled: all is shipped
                return false
            }
            defer { group.cancelAll() }
            return try await group.next() ?? false
        }
        guard !isDone || !state.isWhole, !Task.isCancelled else { return }
        let left = try await engine.unshippedTransactions().count
        let isProven = await shipper.listing != nil
        guard left > 0 || !isProven && state.wasAttached || !state.isWhole else { return }
        throw ReplicationIncomplete(database: settings.database.string, fileCount: left, isCaptured: state.isWhole)
    }

    /// Returns whether all is shipped; `false` where that will not come to be.
    private func shipWhatIsClosed() async throws -> Bool {
        while !Task.isCancelled {
            let ended = state.hasCaptureEnded
            let delay = await shipper.pass()
            if ended {
                let isProven = await shipper.listing != nil
                if try await engine.unshippedTransactions().isEmpty, isProven || !state.wasAttached { return true }
                guard isProven, !(await shipper.isHalted) else { return false }
                await shipper.lookAgain()
                await shipping.wait(atMost: min(settings.shutdownRetryInterval, delay ?? .milliseconds(10)))
            } else {
                if await engine.phase == .suspended { attaching.signal() }
                await shipping.wait(atMost: delay)
            }
        }
        return false
    }
}

extension CaptureError {
    /// Whether the database may become fit by itself: it does not exist yet, or is locked for now.
    var isWorthWaiting: Bool { [.noDatabase, .databaseBusy, .diskFull].contains(code) }
}

/// Not all transaction files were shipped when replication ended; they stay in the metadata folder and are shipped at
/// the next start.
public struct ReplicationIncomplete: Error, Sendable, CustomStringConvertible {
    let database: String
    /// How many files are left.
    public let fileCount: Int
    /// Whether these hold all that is committed; what they do not is captured at the next start.
    public let isCaptured: Bool

    public var description: String {
        let files =
            "\(database): \(fileCount) transaction files were not shipped in time. They are kept, and shipped when "
            + "replication is started again."
        return isCaptured ? files : files + " What was committed last is not in them: it is captured then."
    }
}
