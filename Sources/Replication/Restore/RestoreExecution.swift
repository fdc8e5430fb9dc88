import LTX
import NIOCore
import NIOPosix
import Synchronization
import SystemPackage

/// Carries out one plan: reads its files from the newest to the oldest, and writes the pages of the result.
///
/// Only this task decides; children open files, read indexes, fetch and decode runs, and sync, a bounded number of them
/// at a time. What is read waits for nothing else, so a file is open no longer than its own runs take.
struct RestoreExecution: Sendable {
    let replica: Replica
    let plan: RestorePlan
    let output: RestoreOutput
    let pool: NIOThreadPool
    let parallelism: Int
    let progress: (@Sendable (RestoreProgress) -> Void)?

    /// How many files are opened ahead of the one that is being read.
    private static let openAhead = 4
    /// The disk is kept busy: after so many bytes of pages what was written is synced, while decoding goes on.
    private static let syncByteCount = 64 << 20

    /// Carries the plan out; the output is complete and synced then, but not in its place.
    ///
    /// - Throws: ``ReplicaError``, or `CancellationError`.
    func run() async throws -> RestoreResult {
        try await withThrowingTaskGroup(of: Event.self) { group in
            var state = State(plan: plan, output: output)
            while !state.isDone {
                startWork(&state, &group)
                guard let event = try await group.next() else { break }
                try handle(event, &state)
            }
            return try await finish(state)
        }
    }

    private func startWork(_ state: inout State, _ group: inout ThrowingTaskGroup<Event, any Error>) {
        while state.nextToOpen >= 0, state.openingCount + state.opened.count < Self.openAhead {
            let number = state.nextToOpen
            state.nextToOpen -= 1
            state.openingCount += 1
            let opener = FileOpener(replica: replica, pool: pool, scratch: output.temporary)
            group.addTask { .opened(number, try await opener.open(plan.files[number])) }
        }
        while let (number, file, run) = state.waitingRuns.first, state.decodingCount < parallelism {
            guard let decoder = state.decoder else { break }
            state.waitingRuns.removeFirst()
            state.decodingCount += 1
            group.addTask { .decoded(number, run, try await decode(run, of: file, number, with: decoder)) }
        }
        if !state.isScanning, state.waitingRuns.isEmpty, let scan = state.scan {
            state.isScanning = true
            state.scan = nil
            group.addTask { try await next(scan) }
        }
        if !state.isSyncing, state.unsynced >= Self.syncByteCount {
            (state.isSyncing, state.unsynced) = (true, 0)
            group.addTask {
                try await pool.runIfActive { try output.sync() }
                return .synced
            }
        }
    }

    private func handle(_ event: Event, _ state: inout State) throws {
        switch event {
        case .opened(let number, let file):
            state.openingCount -= 1
            state.opened[number] = file
        case .scanned(let scan, let run, let isLast):
            state.isScanning = false
            if let run {
                state.completions[scan.number]?.expect(run)
                state.waitingRuns.append((scan.number, scan.file, run))
            }
            if isLast {
                state.completions[scan.number]?.close()
                try complete(scan.number, &state)
            } else {
                state.scan = scan
            }
        case .decoded(let number, let run, let outcome):
            state.decodingCount -= 1
            state.unsynced += outcome.byteCount
            state.bytesDone += Int64(run.range.count)
            state.completions[number]?.take(outcome, of: run.number)
            try complete(number, &state)
            report(state)
        case .synced:
            state.isSyncing = false
        }
        if !state.isScanning, state.scan == nil, state.nextToScan >= 0,
            let file = state.opened.removeValue(forKey: state.nextToScan)
        {
            try begin(file, &state)
        }
    }

    /// Begins to read a file's index.
    private func begin(_ file: OpenedFile, _ state: inout State) throws {
        let number = state.nextToScan
        state.nextToScan -= 1
        let header = file.header
        if state.owners == nil { try prepare(for: file, &state) }
        guard header.pageSize == state.pageSize, let owners = state.owners else {
            // The database was begun anew with other pages; what lies before that is not needed where it is all there.
            if isWhole(state) { return state.leaveOut(filesThrough: number) }
            let fact = "has pages of \(header.pageSize) bytes, but the files after it have \(state.pageSize)"
            throw ReplicaError.damaged(file.file, fact)
        }
        owners.owners.withLock { $0.begin(file: number, commit: header.commit) }
        if let mark = header.sourceMark { state.marks[number] = mark }
        state.completions[number] = FileCompletion(file)
        state.scan = Scan(number: number, file: file, reader: FrameRunReader(file, owners: owners))
    }

    /// Whether the files read so far give every page of the result.
    private func isWhole(_ state: State) -> Bool {
        state.owners?.owners.withLock { $0.ownedCount == state.expectedPageCount } ?? false
    }

    /// The newest file tells what the result looks like.
    private func prepare(for last: OpenedFile, _ state: inout State) throws {
        let header = last.header
        // Every page takes more than 12 bytes of some file: no memory is set aside for pages that cannot be there.
        guard header.commit > 0, Int64(header.commit) <= plan.byteCount / 12 + 1 else {
            throw ReplicaError.damaged(
                last.file,
                "claims a database of \(header.commit) pages, which the files cannot hold"
            )
        }
        (state.pageSize, state.pageCount) = (header.pageSize, header.commit)
        state.owners = ChainOwners(PageOwners(fileCount: state.fileCount, pageCount: header.commit))
        state.decoder = RunDecoder(
            output: output.descriptor,
            pageSize: header.pageSize,
            fileCount: state.fileCount,
            states: state.states
        )
    }

    private func complete(_ number: Int, _ state: inout State) throws {
        guard let completion = state.completions[number], completion.isComplete else { return }
        try completion.verify()
        state.completions[number] = nil
        state.filesDone += 1
        state.bytesDone += completion.otherByteCount
        report(state)
    }

    private func next(_ scan: Scan) async throws -> Event {
        try await pool.runIfActive {
            do throws(LTXError) {
                let (run, isLast) = try scan.reader.next()
                return .scanned(scan, run, isLast: isLast)
            } catch { throw ReplicaError.damaged(scan.file.file, error) }
        }
    }

    private func decode(
        _ run: FrameRun,
        of file: OpenedFile,
        _ number: Int,
        with decoder: RunDecoder
    ) async throws -> RunDecoder.Outcome {
        var fetched = ByteBuffer()
        if case .store = file.content { fetched = try await replica.read(file.file, run.range) }
        return try await pool.runIfActive { [fetched] in
            do {
                switch file.content {
                case .local(let source): return try decoder.decode(run, from: source, file: number)
                // SAFETY of both below: the elements are bytes, all of them initialized.
                case .store:
                    return try decoder.decode(run, unsafe fetched.readableBytesUInt8Span.bytes, file: number)
                case .bytes(let bytes):
                    let range = Int(run.range.lowerBound)..<Int(run.range.upperBound)
                    let span = unsafe bytes.readableBytesUInt8Span.bytes.extracting(range)
                    return try decoder.decode(run, span, file: number)
                }
            } catch let error as LTXError {
                throw ReplicaError.damaged(file.file, error)
            } catch let error as Errno {
                throw ReplicaError.fileSystem("writing", output.temporary, error)
            }
        }
    }

    private func report(_ state: State) {
        progress?(
            RestoreProgress(
                bytesDone: state.bytesDone,
                bytesInAll: plan.byteCount,
                filesDone: state.filesDone,
                filesInAll: state.fileCount
            )
        )
    }

    /// Checks that the result is complete and the one that the files' marks name, and brings it to the disk.
    private func finish(_ state: State) async throws -> RestoreResult {
        precondition(state.isDone, "a plan is finished when all of its files are read")
        guard let last = plan.files.last, let shared = state.owners else { throw CancellationError() }
        let (lockPage, expected) = (LTXPageSize.lockPage(pageSize: state.pageSize), state.expectedPageCount)
        let (ownedCount, firstMissing, isExact) = shared.owners.withLock { owners in
            let isComplete = owners.ownedCount == expected
            return (owners.ownedCount, isComplete ? nil : owners.firstMissing(except: lockPage), owners.isExact)
        }
        if ownedCount != expected {
            let missing = firstMissing.map { "\($0)" } ?? "?"
            let text =
                "None of the \(plan.files.count) files up to '\(last.key)' holds page \(missing) of the database's"
            throw ReplicaError(.damaged, "\(text) \(state.pageCount) pages: restore to an earlier transaction.")
        }
        let checksums = state.states.values()
        for (number, mark) in state.marks where isExact || number == state.fileCount - 1 {
            guard checksums[number] == mark.checksum else {
                let text =
                    "The database after '\(plan.files[number].key)' is not the one whose checksum that file names:"
                throw ReplicaError(
                    .mismatch,
                    "\(text) files of two histories are mixed. Restore to an earlier transaction."
                )
            }
        }
        let byteCount = Int64(state.pageSize) * Int64(state.pageCount)
        try await pool.runIfActive {
            try output.resize(to: byteCount)
            try output.sync()
        }
        let isMarkVerified = state.marks[state.fileCount - 1] != nil
        return RestoreResult(
            plan: plan,
            pageSize: state.pageSize,
            pageCount: state.pageCount,
            databaseChecksum: checksums[state.fileCount - 1],
            isMarkVerified: isMarkVerified,
            verifiedMarkCount: isExact ? state.marks.count : isMarkVerified ? 1 : 0
        )
    }
}
