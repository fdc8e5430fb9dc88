public import ObjectStorage

extension Replica {
    /// How many objects are asked for their metadata at a time.
    private static let requestCount = 50

    /// The listing with the times in the files' headers, as far as a restore to `moment` depends on them.
    ///
    /// In a folder the listing has them already. A bucket is asked for the metadata of single objects, 50 at a time: of
    /// all of them where they are few, else of those around `moment` only, found by a search over the order of
    /// transactions, in which times ascend. So a long history costs some hundred requests, not one for each file.
    ///
    /// Files before those that were asked for are dated before `moment`, files behind them at or after it. An object
    /// without the metadata keeps the time of its upload; one that is gone meanwhile is left out.
    ///
    /// - Throws: ``ReplicaError`` with code `storage` or `cancelled`.
    public func withTimestamps(
        _ listing: ReplicaListing,
        around moment: Timestamp
    ) async throws(ReplicaError) -> ReplicaListing {
        guard !layout.listsTimestamps else { return listing }
        // Of one end the snapshot comes last: it may be dated later than the data in it.
        var files = listing.files.sorted { ($0.max, $0.level) < ($1.max, $1.level) }
        var vanished: Set<Int> = []
        var range = files.startIndex..<files.endIndex
        while range.count > 4 * Self.requestCount {
            let stride = range.count / Self.requestCount
            let probes = (0..<Self.requestCount).map { range.lowerBound + $0 * stride }
            for (index, created) in try await timestamps(of: probes, in: files) {
                if let created { files[index].created = created } else { vanished.insert(index) }
            }
            let known = probes.filter { !vanished.contains($0) }
            let end = known.first { files[$0].created >= moment } ?? range.upperBound
            let start = known.last { $0 < end } ?? range.lowerBound
            // The clock may have stepped: the files next to the turn are looked at as well.
            let margin = min(Self.requestCount, stride / 2)
            let next = max(range.lowerBound, start - margin)..<min(range.upperBound, end + margin)
            guard next.count < range.count else { break }
            range = next
        }
        for (index, created) in try await timestamps(of: Array(range), in: files) {
            if let created { files[index].created = created } else { vanished.insert(index) }
        }
        for index in files.indices where !range.contains(index) {
            let (before, behind) = (Timestamp(rawValue: max(moment.rawValue, .min + 1) - 1), moment)
            if index < range.lowerBound { files[index].created = min(files[index].created, before) }
            if index >= range.upperBound { files[index].created = max(files[index].created, behind) }
        }
        return ReplicaListing(files.indices.lazy.filter { !vanished.contains($0) }.map { files[$0] })
    }

    /// The times of some files, a bounded number of requests at a time; `nil` for a file that is gone.
    private func timestamps(
        of indices: [Int],
        in files: [ReplicaFile]
    ) async throws(ReplicaError) -> [(index: Int, created: Timestamp?)] {
        let results = await withTaskGroup(of: Result<(Int, Timestamp?), ReplicaError>.self) { group in
            var results: [Result<(Int, Timestamp?), ReplicaError>] = []
            for (count, index) in indices.enumerated() {
                if count >= Self.requestCount, let result = await group.next() { results.append(result) }
                let file = files[index]
                group.addTask {
                    await catching { () async throws(ReplicaError) in (index, try await timestamp(of: file)) }
                }
            }
            for await result in group { results.append(result) }
            return results
        }
        var timestamps: [(index: Int, created: Timestamp?)] = []
        for result in results { timestamps.append(try result.get()) }
        return timestamps
    }

    private func timestamp(of file: ReplicaFile) async throws(ReplicaError) -> Timestamp? {
        do {
            let object = try await store.head(file.key)
            return object.metadata.timestamp ?? object.modified
        } catch {
            guard error.code == .notFound else { throw ReplicaError(error) }
            return nil
        }
    }
}
