import LTX

extension RestoreExecution {
    enum Event: Sendable {
        case opened(Int, OpenedFile)
        case scanned(Scan, FrameRun?, isLast: Bool)
        case decoded(Int, FrameRun, RunDecoder.Outcome)
        case synced
    }

    /// The reading of one file's index.
    struct Scan: Sendable {
        let number: Int
        let file: OpenedFile
        let reader: FrameRunReader
    }

    /// What is under way, and what is done.
    struct State {
        let fileCount: Int
        var decoder: RunDecoder?
        let states: StateChecksums
        var owners: ChainOwners?
        var pageSize = 0
        var pageCount: UInt32 = 0

        /// Files are numbered as in the plan, oldest first, and gone through backwards.
        var nextToOpen: Int
        var nextToScan: Int
        var opened: [Int: OpenedFile] = [:]
        var openingCount = 0
        var scan: Scan?
        var isScanning = false
        var waitingRuns: [(Int, OpenedFile, FrameRun)] = []
        var decodingCount = 0
        var completions: [Int: FileCompletion] = [:]
        var marks: [Int: SourceMark] = [:]

        var unsynced = 0
        var isSyncing = false
        var filesDone = 0
        var bytesDone: Int64 = 0

        init(plan: RestorePlan, output: RestoreOutput) {
            fileCount = plan.files.count
            states = StateChecksums(fileCount: fileCount)
            (nextToOpen, nextToScan) = (fileCount - 1, fileCount - 1)
        }

        var isDone: Bool { filesDone == fileCount && !isSyncing }

        /// How many pages files have to give: SQLite's lock page is in none.
        var expectedPageCount: Int {
            let lockPage = LTXPageSize.lockPage(pageSize: pageSize)
            return Int(pageCount) - (lockPage <= pageCount ? 1 : 0)
        }

        /// Reads none of the oldest files, up to this one.
        mutating func leaveOut(filesThrough number: Int) {
            (nextToOpen, nextToScan, opened) = (-1, -1, [:])
            filesDone += number + 1
        }
    }
}
