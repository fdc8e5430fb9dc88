import LTX
import Replication

/// Which files of the chain a standby that is behind fetches before it needs them.
///
/// Accepted files never change, so one that was read early is as good as one that was read late. That a file is absent
/// proves something only if it was asked for after the core wanted to know (N4): so no answer but a file is ever passed
/// on from here. It decides only; ``NodeDriver`` sends the requests.
struct ReadAhead {
    /// The most requests at a time, and the most files that wait.
    static let fileLimit = 8
    /// The most bytes that wait or are under way, as far as sizes can be guessed.
    static let byteLimit: Int64 = 64 << 20

    /// A request for a file.
    struct Request: Hashable {
        let number: UInt64
        /// Answers to a generation that was dropped concern nobody.
        let generation: Int
        /// Whether it is expected to be so large that it goes through a file.
        let isLarge: Bool
    }

    /// What there is to answer the core with.
    enum Supply {
        /// A file that was read ahead.
        case file(DecodedTransaction)
        /// The file is being fetched: its arrival answers the ticket.
        case underWay
        /// Nothing: it is to be fetched now.
        case nothing
    }

    /// What is to be done with an answer that has come.
    struct Arrival {
        /// Who waits for it.
        var ticket: Ticket?
        /// What nobody wants any more.
        var unwanted: [DecodedTransaction] = []
    }

    private enum Slot {
        case underWay(Ticket?)
        case arrived(DecodedTransaction)
    }

    private var slots: [UInt64: Slot] = [:]
    private var generation = 0
    /// Requests that are not answered yet, those of dropped generations too.
    private var underWayCount = 0
    /// How many answers in a row were files.
    private var run = 0
    /// The largest file of this run: the next ones may be as large.
    private var largest: Int64 = 0

    /// Whether the next file is expected to be so large that it goes through a file.
    var expectsLarge: Bool { largest > Int64(DecodedTransaction.imageLimit) }

    /// How far to read ahead: not at all behind a first file, for a standby that keeps pace never finds a second one.
    private var width: Int { run < 2 ? 0 : min(Self.fileLimit, 1 << min(run - 1, 10)) }

    /// The core wants a file: takes what there is of it.
    mutating func take(_ number: UInt64, for ticket: Ticket) -> Supply {
        switch slots[number] {
        case .arrived(let file):
            slots[number] = nil
            return .file(file)
        case .underWay:
            slots[number] = .underWay(ticket)
            return .underWay
        case nil: return .nothing
        }
    }

    /// Notes what the core was answered.
    mutating func noteAnswer(_ file: DecodedTransaction?) {
        guard let file else { return (run, largest) = (0, 0) }
        run += 1
        largest = run == 1 ? file.byteCount : max(largest, file.byteCount)
    }

    /// The files to ask for now, while the one before `number` is applied.
    mutating func requests(from number: UInt64) -> [Request] {
        var requests: [Request] = []
        var expected = slots.values.reduce(Int64(0)) { sum, slot in
            if case .arrived(let file) = slot { sum + file.byteCount } else { sum + largest }
        }
        for offset in 0..<UInt64(width) {
            let (next, isTooLarge) = number.addingReportingOverflow(offset)
            guard !isTooLarge, slots[next] == nil else { continue }
            expected += largest
            guard underWayCount < Self.fileLimit, expected <= Self.byteLimit else { break }
            underWayCount += 1
            slots[next] = .underWay(nil)
            requests.append(Request(number: next, generation: generation, isLarge: expectsLarge))
        }
        return requests
    }

    /// A request was answered.
    mutating func arrived(_ file: DecodedTransaction?, _ request: Request) -> Arrival {
        underWayCount -= 1
        guard request.generation == generation, case .underWay(let ticket)? = slots[request.number] else {
            return Arrival(unwanted: [file].compactMap(\.self))
        }
        slots[request.number] = nil
        if let ticket { return Arrival(ticket: ticket) }
        if let file { slots[request.number] = .arrived(file) }
        return Arrival()
    }

    /// Takes the files that follow `file` without a gap, as far as memory holds their pages and these are few.
    mutating func takeFollowing(_ file: DecodedTransaction) -> [DecodedTransaction] {
        guard var byteCount = file.imageByteCount else { return [] }
        var (files, number): ([DecodedTransaction], UInt64) = ([], file.state.number)
        while case .arrived(let next)? = slots[number &+ 1], next.header.pageSize == file.header.pageSize,
            let more = next.imageByteCount, byteCount + more <= DecodedTransaction.joinLimit
        {
            slots[number + 1] = nil
            files.append(next)
            (byteCount, number) = (byteCount + more, number + 1)
        }
        return files
    }

    /// Forgets what was read and what is under way. Returns the files whose room is to be given back.
    mutating func dropFiles() -> [DecodedTransaction] {
        let files = slots.values.compactMap { slot in
            if case .arrived(let file) = slot { file } else { nil }
        }
        slots = [:]
        generation += 1
        return files
    }

    /// Forgets everything, also that files were found. Returns the files whose room is to be given back.
    mutating func drop() -> [DecodedTransaction] {
        (run, largest) = (0, 0)
        return dropFiles()
    }
}
