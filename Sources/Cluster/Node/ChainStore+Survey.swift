import LTX
import ObjectStorage
import Replication

/// What lies in a store that may have gone back, or was never this history's (failover-review G3, G6).
extension ChainStore {
    /// What lies in the store, and whether a restore leads to a place, its level-0 file included.
    ///
    /// - Returns: `nil`, and why, where the store does not answer.
    func survey(_ place: ChainPoint) async -> (survey: StoreSurvey?, error: String?) {
        do throws(ReplicaError) {
            let listing = try await replica.list()
            var survey = StoreSurvey(highest: listing.highest?.rawValue ?? 0, holds: listing.isEmpty)
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

    /// Whether the level-0 file of a place is still there; where it is not, all of the store is looked at.
    func check(_ place: ChainPoint) async -> (survey: StoreSurvey?, error: String?) {
        guard let id = TransactionID(exactly: place.number) else { return await survey(place) }
        let key = replica.layout.key(level: 0, min: id, max: id)
        do {
            let byteCount = try await store.head(key).byteCount
            let file = ReplicaFile(
                level: 0,
                min: id,
                max: id,
                byteCount: byteCount,
                created: Timestamp(rawValue: 0),
                key: key
            )
            guard try await replica.holds(place, in: file) else { return await survey(place) }
            return (StoreSurvey(highest: place.number, holds: true), nil)
        } catch {
            return await survey(place)
        }
    }
}

extension Replica {
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
