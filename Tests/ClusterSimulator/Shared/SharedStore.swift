import Cluster

/// A store that honours conditions, with the lease, the chain and the levels above it; it also watches the chain.
///
/// What breaks an invariant is kept in ``violation``: the first one counts.
struct SharedStore: ChainStore {
    /// A file of a level above 0.
    struct Merged: Hashable {
        var level: Int
        var first: UInt64
        var mark: FileMark
        var history: History
        var last: UInt64 { mark.point.number }
    }

    private(set) var lease: Lease?
    private(set) var leaseVersion = 0
    /// Every file that was ever created, by its number; a deleted one stays here.
    private(set) var created: [UInt64: SimulatedFile] = [:]
    /// The number behind which the chain began anew; 0 where it never did.
    private(set) var beginning: UInt64 = 0
    /// The numbers at which an object lies.
    private(set) var present: Set<UInt64> = []
    private(set) var highest: UInt64 = 0
    private(set) var records: [Epoch: EpochRecord] = [:]
    private(set) var merged: [Merged] = []
    /// What each node's record says.
    var nodeRecords: [NodeID: UInt64] = [:]
    /// The newest epoch that has opened for writing.
    var openedEpoch = Epoch.zero
    private(set) var violation: String?

    private mutating func note(_ what: String) {
        if violation == nil { violation = what }
    }

    // MARK: - The lease

    /// A body's version goes by its bytes, as an entity tag does.
    private var versions: [Lease: Int] = [:]

    var version: LeaseVersion { LeaseVersion(rawValue: "\(leaseVersion)") }

    /// Begins a cluster.
    mutating func begin(_ lease: Lease) {
        self.lease = lease
        leaseVersion = 1
        versions[lease] = 1
    }

    /// Compare-and-swap. `true`: it happened.
    mutating func swap(_ new: Lease, condition: LeaseVersion?) -> Bool {
        guard let old = lease else {
            guard condition == nil else { return false }
            note("I1: the lease began anew at epoch \(new.epoch)")
            write(new)
            return true
        }
        guard condition == version else { return false }
        if new.epoch < old.epoch || new.epoch == old.epoch && new.session != old.session {
            note("I1: epoch \(new.epoch) of \(new.session) replaced epoch \(old.epoch) of \(old.session)")
        }
        if new.head.number < old.head.number || new.head.number > highest {
            note("I9: the head of the lease went back, or is ahead of the chain")
        }
        write(new)
        return true
    }

    mutating func overwrite(_ new: Lease) {
        if let old = lease, new.epoch < old.epoch || new.epoch == old.epoch && new.session != old.session {
            note("I1: epoch \(new.epoch) of \(new.session) replaced epoch \(old.epoch) of \(old.session)")
        }
        write(new)
    }

    mutating func deleteLease() {
        lease = nil
        leaseVersion = versions.count + 1
    }

    private mutating func write(_ new: Lease) {
        lease = new
        if let known = versions[new] {
            leaseVersion = known
        } else {
            leaseVersion = versions.count + 1
            versions[new] = leaseVersion
        }
    }

    // MARK: - The chain

    func file(at number: UInt64) -> FetchedFile? {
        guard present.contains(number), let file = created[number] else { return nil }
        return FetchedFile(mark: file.mark, history: file.history)
    }

    mutating func put(_ file: SimulatedFile) -> CreateAnswer {
        if create(file) { return .created }
        let there = created[file.mark.point.number]
        return .exists(isSame: there == file, there?.mark)
    }

    private mutating func create(_ file: SimulatedFile) -> Bool {
        let number = file.mark.point.number
        guard !present.contains(number) else { return false }
        present.insert(number)
        // From before the new beginning: it leads nowhere any more.
        if number <= beginning { return true }
        if let earlier = created[number] {
            if earlier != file { note("I2: \(number) was written a second time, with other bytes") }
            return true
        }
        if let before = fileBefore(number) {
            if file.mark.epoch < before.mark.epoch || file.mark.epoch < openedEpoch {
                note("I6: a superseded writer, epoch \(file.mark.epoch), got \(number) into the chain")
            } else if file.mark.epoch == before.mark.epoch, file.session != before.session {
                note("I1: two sessions wrote in epoch \(file.mark.epoch)")
            } else if !before.history.isBeginning(of: file.history) {
                note("I3: \(number) \(file.history) does not continue \(before.history)")
            }
        }
        if let behind = created[number + 1],
            behind.mark.epoch < file.mark.epoch || !file.history.isBeginning(of: behind.history)
        {
            note("I3: a file of an older epoch lies behind \(number)")
        }
        created[number] = file
        highest = max(highest, number)
        checkRestore()
        return true
    }

    private func fileBefore(_ number: UInt64) -> SimulatedFile? {
        var place = number
        while place > 1 {
            place -= 1
            if let file = created[place] { return file }
        }
        return nil
    }

    /// The chain's end.
    var end: SimulatedFile? { created[highest] }

    /// Whether nothing lies behind the new beginning yet.
    var isWaitingForSeal: Bool { beginning > 0 && highest == beginning }

    /// Takes an operator's lease, behind whose beginning the chain goes on.
    mutating func beginAnew(_ lease: Lease, _ history: History) {
        (beginning, highest) = (lease.begin, lease.begin)
        write(lease)
        found(with: history)
    }

    /// What the chain goes on from: a snapshot that leads to its new beginning.
    ///
    /// It stays the file of the operator's epoch, whoever has claimed and not sealed since.
    mutating func found(with history: History) {
        guard let lease else { return }
        let earlier = created[beginning]
        let file = SimulatedFile(
            number: beginning,
            node: lease.node,
            epoch: earlier?.mark.epoch ?? lease.epoch,
            session: earlier?.session ?? lease.session,
            history: history
        )
        created[beginning] = file
        merged.removeAll { $0.level == 9 && $0.last >= beginning }
        merged.append(Merged(level: 9, first: 1, mark: file.mark, history: history))
    }

    mutating func delete(_ number: UInt64) {
        present.remove(number)
        checkRestore()
    }

    mutating func createRecord(_ record: EpochRecord) -> CreateAnswer {
        if let old = records[record.epoch] { return .exists(isSame: old == record, nil) }
        records[record.epoch] = record
        return .created
    }

    // MARK: - Levels

    mutating func write(_ file: Merged) {
        merged.removeAll { $0.level == file.level && $0.first == file.first && $0.last == file.last }
        merged.append(file)
        checkRestore()
    }

    /// Of several, the file that leads furthest.
    func coveringFile(_ number: UInt64) -> FetchedFile? {
        let found = merged.filter { $0.first <= number && number <= $0.last }.max { $0.last < $1.last }
        return found.map { FetchedFile(mark: $0.mark, history: $0.history) }
    }

    /// What a restore of the newest state takes, by Litestream's own choice: the newest snapshot, then at each step the
    /// file that leads furthest.
    func newest() -> (number: UInt64, history: History, epoch: Epoch, wrong: UInt64?) {
        var (number, history, epoch, wrong) = (UInt64(0), History(), Epoch.zero, UInt64?.none)
        func isWrong(_ place: UInt64, _ content: History) -> Bool {
            created[place].map { $0.history != content } ?? false
        }
        if let snapshot = merged.filter({ $0.level == 9 }).max(by: { $0.last < $1.last }) {
            (number, history, epoch) = (snapshot.last, snapshot.history, snapshot.mark.epoch)
            if isWrong(number, history) { wrong = number }
        }
        while true {
            var best: (number: UInt64, history: History, epoch: Epoch)?
            for file in merged where file.level != 9 && file.first <= number + 1 && file.last > number {
                if best.map({ file.last > $0.number }) ?? true { best = (file.last, file.history, file.mark.epoch) }
            }
            if best == nil, present.contains(number + 1), let file = created[number + 1] {
                best = (number + 1, file.history, file.mark.epoch)
            }
            guard let best else { return (number, history, epoch, wrong) }
            (number, history, epoch) = best
            if wrong == nil, isWrong(number, history) { wrong = number }
        }
    }

    private mutating func checkRestore() {
        if merged.isEmpty, UInt64(present.count) == highest { return }
        let found = newest()
        if let wrong = found.wrong {
            note("I9: a restore takes a file for \(wrong) that is not the chain's")
        } else if found.number < highest, UInt64(created.count) == highest {
            note("I9: the newest state cannot be restored: it reaches \(found.number) of \(highest)")
        }
    }
}
