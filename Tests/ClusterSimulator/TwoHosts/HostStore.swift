import Cluster

/// The store of one of two hosts, to which the other host's node ships; it also watches what lies in it.
struct HostStore: ChainStore {
    /// Every level-0 file that was created and not taken back by the disk, by number; a deleted one stays here.
    private(set) var created: [UInt64: SimulatedFile] = [:]
    /// The numbers at which an object lies.
    private(set) var present: Set<UInt64> = []
    /// Snapshots, ascending.
    private(set) var snapshots: [SimulatedFile] = []
    private(set) var records: [EpochStamp: EpochRecord] = [:]
    var nodeRecords: [NodeID: UInt64] = [:]
    /// The chain's newest number.
    private(set) var highest: UInt64 = 0
    /// Where the chain begins: at its newest whole copy.
    private var beginning: UInt64 = 0
    /// Whether its disk went back, and it holds neither a whole copy since nor what it has lost: nobody may take over from it.
    private(set) var isRolledBack = false
    /// The highest number that it has lost then.
    private(set) var lostThrough: UInt64 = 0
    /// What was put into it since, apart from the chain or on a chain that lacks something.
    private(set) var apart: Set<UInt64> = []
    /// Whether a restore is followed from the newest snapshot on, by what files were made from.
    var followsBases = false
    /// All commits that it ever held.
    private(set) var held = History()
    private(set) var violation: String?

    /// The chain's end.
    var end: SimulatedFile? { created[highest] }

    /// The highest number at any level.
    var highestAtAnyLevel: UInt64 { max(present.max() ?? 0, snapshots.last?.mark.point.number ?? 0) }

    private mutating func note(_ what: String) { if violation == nil { violation = what } }

    func file(at number: UInt64) -> FetchedFile? {
        present.contains(number) ? created[number].map(FetchedFile.init) : nil
    }

    func coveringFile(_ number: UInt64) -> FetchedFile? { covering(number).map(FetchedFile.init) }

    mutating func put(_ file: SimulatedFile) -> CreateAnswer {
        if create(file) { return .created }
        let there = created[file.mark.point.number]
        return .exists(isSame: there == file, there?.mark ?? file.mark)
    }

    private mutating func create(_ file: SimulatedFile) -> Bool {
        let number = file.mark.point.number
        guard !present.contains(number) else { return false }
        present.insert(number)
        if number < beginning {
            // Before the whole copy with which the chain begins: it leads nowhere any more.
            created[number] = file
            held = held.union(file.history)
            return true
        }
        if isRolledBack, !file.isWhole {
            // What was under way to it as it was: it may lie apart from the chain.
            created[number] = file
            apart.insert(number)
            reconnect()
            return true
        }
        if let earlier = created[number] {
            if earlier != file { note("I2: \(number) was written a second time, with other bytes") }
            return true
        }
        held = held.union(file.history)
        if let end, file.mark.stamp < end.mark.stamp {
            note("I6: a superseded writer, epoch \(file.mark.epoch), got \(number) into the chain")
        } else if file.isWhole {
            if number < highest { note("I3: a whole copy at \(number) lies before \(highest)") }
        } else if let before = created[number - 1] {
            if let base = file.base, base != state(at: number - 1) {
                note("I3: \(number) was made from \(base), and lies behind \(state(at: number - 1))")
            } else if file.mark.stamp == before.mark.stamp, file.session != before.session {
                note("I1: two sessions wrote in epoch \(file.mark.epoch)")
            } else if !before.history.isBeginning(of: file.history) {
                note("I3: \(number) \(file.history) does not continue \(before.history)")
            }
        } else if number > 1, file.base == nil || file.base != state(at: number - 1) {
            note("I3: nothing lies before \(number)")
        }
        created[number] = file
        highest = max(highest, number)
        if file.isWhole { (beginning, isRolledBack, apart) = (number, false, []) }
        checkRestore()
        return true
    }

    /// A restore begins with the newest snapshot: what lies behind that must have been made from it.
    private mutating func checkSnapshot(_ snapshot: SimulatedFile) {
        let number = snapshot.mark.point.number
        if let next = created[number + 1], present.contains(number + 1), !next.isWhole {
            if let base = next.base, base != snapshot.history {
                note("I9: \(number + 1) was made from \(base), and a restore begins with \(snapshot.history)")
            }
        } else if number >= highest, let end, snapshot.mark.stamp < end.mark.stamp {
            note("I9: a copy of epoch \(snapshot.mark.epoch) is what a restore takes, and \(end.mark.epoch) has sealed")
        }
    }

    /// What a restore has come to behind a number: a snapshot counts there.
    private func state(at number: UInt64) -> History {
        let snapshot = snapshots.last { $0.mark.point.number == number }
        return (snapshot ?? created[number])?.history ?? History()
    }

    mutating func publish(_ file: SimulatedFile) {
        snapshots.removeAll { $0.mark.point.number == file.mark.point.number }
        snapshots.append(file)
        snapshots.sort { $0.mark.point.number < $1.mark.point.number }
        reconnect()
        checkRestore()
    }

    /// What lay apart is part of the chain where a restore leads there without a gap.
    ///
    /// What was under way when the disk went back lands late, a snapshot as well as files. A snapshot leads over all that was
    /// lost before it, and who looks at the store sees that a restore gets there: nothing before is missing any more.
    private mutating func reconnect() {
        guard isRolledBack, var last = covering(0) ?? end else { return }
        var passed: Set<UInt64> = [last.mark.point.number]
        while let next = created[last.mark.point.number + 1], present.contains(next.mark.point.number),
            next.mark.stamp >= last.mark.stamp, last.history.isBeginning(of: next.history)
        {
            passed.insert(next.mark.point.number)
            last = next
        }
        let joined = apart.intersection(passed)
        guard !joined.isEmpty else { return }
        apart.subtract(joined)
        held = held.union(last.history)
        highest = max(highest, last.mark.point.number)
        if highest >= lostThrough { (isRolledBack, apart) = (false, []) }
    }

    mutating func createRecord(_ record: EpochRecord) -> CreateAnswer {
        let stamp = EpochStamp(epoch: record.epoch, node: record.node)
        if let old = records[stamp] { return .exists(isSame: old == record, nil) }
        records[stamp] = record
        return .created
    }

    /// What a claimant wants to know of a place.
    func survey(_ place: ChainPoint) -> StoreSurvey {
        let file = present.contains(place.number) ? created[place.number] : nil
        let isReached = newest(byLitestream: true).map { $0.mark.point.number >= place.number } ?? false
        let holds = place.number == 0 ? highestAtAnyLevel == 0 : isReached && file?.mark.point == place
        return StoreSurvey(highest: highestAtAnyLevel, holds: holds, end: end?.mark)
    }

    /// The file with all pages, or of a higher level, that leads furthest from a place.
    func covering(_ number: UInt64) -> SimulatedFile? {
        let copy = created[beginning].flatMap { present.contains(beginning) ? $0 : nil }
        let found = [copy, snapshots.last].compactMap(\.self).max { $0.mark.point.number < $1.mark.point.number }
        return found.flatMap { $0.mark.point.number >= number ? $0 : nil }
    }

    /// What a restore of the newest state gives; `nil` for an empty store. Litestream's begins with a snapshot.
    func newest(byLitestream: Bool = false) -> SimulatedFile? {
        let beginning = byLitestream ? snapshots.last : covering(0)
        guard var file = beginning ?? (present.contains(1) ? created[1] : nil) else { return nil }
        while present.contains(file.mark.point.number + 1), let next = created[file.mark.point.number + 1] {
            file = next
        }
        return file
    }

    mutating func delete(_ number: UInt64) {
        present.remove(number)
        checkRestore()
    }

    /// Whether nothing needs that level-0 file, so far as the store is concerned.
    func isCovered(_ number: UInt64) -> Bool {
        guard number != highest, (snapshots.last?.mark.point.number ?? 0) >= number else { return false }
        if let file = created[number], let before = created[number - 1], file.mark.stamp != before.mark.stamp {
            return false
        }
        return !records.values.contains { $0.contested.contains(number) }
    }

    /// Whether it holds the file that leads to a place.
    func holds(_ point: ChainPoint) -> Bool { created[point.number]?.mark.point == point || point.number < beginning }

    /// Its disk came back as it is here, without what somebody may have relied on, up to a number.
    mutating func noteRollback(through number: UInt64) {
        (isRolledBack, apart, lostThrough) = (true, [], max(lostThrough, number))
    }

    private mutating func checkRestore() {
        if followsBases, let snapshot = snapshots.last { checkSnapshot(snapshot) }
        guard highest > 0, !isRolledBack, let end else { return }
        // Before it is published, only this program's restore begins with a whole copy.
        let isPublished = beginning == 0 || (snapshots.last?.mark.point.number ?? 0) >= beginning
        let found = newest(byLitestream: isPublished)
        // A snapshot that lands after the disk went back may be newer than the chain.
        let isNewer = found.map { $0.mark.point.number > highest && end.history.isBeginning(of: $0.history) } ?? false
        if !isNewer, found?.mark.point.number != highest || found?.history != end.history {
            note("I9: the newest state, \(highest), cannot be restored: \(found?.mark.point.number ?? 0)")
        }
    }
}
