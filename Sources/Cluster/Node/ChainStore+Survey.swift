import LTX
import ObjectStorage
import Replication

/// Whether a survey looks at the newest level-0 file.
enum EndLook {
    case none
    /// A damaged one says nothing: whoever asks puts its whole copy behind it.
    case readable
    /// Nothing is decided without it.
    case always
}

/// What lies in a store that may have gone back, or was never this history's (failover-review G3, G6).
extension ChainStore {
    /// What lies in the store, and whether a restore leads to a place, its level-0 file included.
    ///
    /// - Parameter look: Whether to look at what the newest level-0 file says of itself.
    /// - Returns: `nil`, and why, where the store does not answer.
    func survey(_ place: ChainPoint, end look: EndLook = .none) async -> (survey: StoreSurvey?, error: String?) {
        do throws(ReplicaError) {
            let listing = try await replica.list()
            var survey = StoreSurvey(highest: listing.highest?.rawValue ?? 0, holds: listing.isEmpty)
            if look != .none, let newest = listing[0].last {
                survey.end = try await replica.mark(of: newest, passesDamage: look == .readable)
            }
            guard place.number > 0 else { return (survey, nil) }
            let reach = listing.highestContiguous?.rawValue ?? 0
            let file = TransactionID(exactly: place.number).flatMap { listing.file(level: 0, min: $0, max: $0) }
            survey.holds = false
            if let file, reach >= place.number { survey.holds = try await replica.holds(place, in: file) }
            return (survey, nil)
        } catch {
            return (nil, error.message)
        }
    }

    /// Why no whole copy of a database goes behind what lies in the store; `nil`: nothing is known against it.
    ///
    /// - Parameter pageSize: The size of the database's pages, in bytes.
    func objection(toPagesOf pageSize: Int) async -> String? {
        guard let listing = try? await replica.list() else { return nil }  // the survey that follows says why
        let newest = listing[0].last ?? listing[ReplicaLayout.snapshotLevel].last
        guard let newest, let header = try? await replica.header(of: newest) else { return nil }
        // A file of a cluster tells so by its epoch, whatever was done to the database since.
        guard header.sourceMark?.epoch ?? 0 == 0, header.pageSize != pageSize else { return nil }
        return "the store holds a replica of another database, with pages of \(header.pageSize) bytes instead of "
            + "\(pageSize): nothing is written there. Give 'peer-store' a path of its own, or remove the old files."
    }

    /// Whether a store that held another place before, with all that led there, holds all from there to this one. Where that
    /// is not told by its level-0 files all of it is looked at.
    ///
    /// The newest file alone tells nothing: what was put there after its disk went back is there, and leads nowhere.
    func check(
        _ place: ChainPoint,
        since earlier: UInt64,
        end look: EndLook = .none
    ) async -> (survey: StoreSurvey?, error: String?) {
        do throws(ReplicaError) {
            let files = try await replica.list(levels: [0])[0].filter { $0.min == $0.max && $0.max.rawValue >= earlier }
            let numbers = files.prefix { $0.max.rawValue <= place.number }
            guard earlier > 0, earlier <= place.number, UInt64(numbers.count) == place.number - earlier + 1,
                let newest = numbers.last, try await replica.holds(place, in: newest)
            else { return await survey(place, end: look) }
            return (StoreSurvey(highest: files.last?.max.rawValue ?? place.number, holds: true), nil)
        } catch {
            return (nil, error.message)
        }
    }
}

extension Replica {
    /// What a level-0 file says of itself; `nil` for one without a mark of ours, and for one that is damaged where that is
    /// passed over.
    fileprivate func mark(
        of file: ReplicaFile,
        passesDamage: Bool
    ) async throws(ReplicaError) -> FileMark? {
        do throws(ReplicaError) {
            return try await mark(of: file)
        } catch {
            guard passesDamage, error.code == .damaged else { throw error }
            return nil
        }
    }

    private func mark(of file: ReplicaFile) async throws(ReplicaError) -> FileMark? {
        let header = try await header(of: file)
        guard let mark = header.sourceMark else { return nil }
        return FileMark(
            point: ChainPoint(number: file.max.rawValue, checksum: mark.checksum),
            node: NodeID(rawValue: header.nodeID),
            epoch: Epoch(rawValue: mark.epoch),
            fileChecksum: try await trailer(of: file).fileChecksum
        )
    }

    /// Whether a file leads to a place; one that is damaged does not.
    fileprivate func holds(_ place: ChainPoint, in file: ReplicaFile) async throws(ReplicaError) -> Bool {
        do throws(ReplicaError) {
            return try await header(of: file).sourceMark?.checksum == place.checksum
        } catch {
            guard error.code == .damaged || error.code == .changing else { throw error }
            return false
        }
    }
}
