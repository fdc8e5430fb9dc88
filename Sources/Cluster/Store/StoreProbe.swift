import NIOCore
public import ObjectStorage

/// Finds out whether a store can hold a lease: whether it honours put-if-absent and compare-and-swap, also when many
/// write at once.
///
/// Many S3 servers take the conditions and ignore them; a lease there would be held by two. The probe writes under
/// `probe/`, a few dozen small requests, and removes what it wrote. A store that passes may still be mistaken one day;
/// one that fails is never trusted.
public struct StoreProbe: Sendable {
    /// What was found.
    public enum Verdict: Hashable, Sendable {
        /// Every condition was honoured.
        case fences
        /// Some condition was not: which.
        case unfit(String)

        /// What to tell people of an unfit store, and what helps.
        public static func explanation(_ fact: String, store: String) -> String {
            "\(store) cannot fence: \(fact). Replication, following and restore work there; taking over by itself does "
                + "not, for two nodes could write at once. Use a store with conditional writes for the lease (AWS S3, "
                + "MinIO and others), or promote by hand into a new path."
        }
    }

    /// Writers in a race.
    static let racers = 16

    let store: any ObjectStore
    let layout: ClusterLayout

    /// Takes the store, and the path whose cluster it is to serve.
    public init(_ store: any ObjectStore, layout: ClusterLayout) { (self.store, self.layout) = (store, layout) }

    /// Probes.
    ///
    /// - Throws: ``ObjectStorage/ObjectStoreError`` where the store does not answer; nothing is known then.
    public func run() async throws(ObjectStoreError) -> Verdict {
        let prefix = layout.probe(.random())
        let keys = ["one", "missing", "race", "swaps"].map { prefix + $0 }
        let result: Result<Verdict, ObjectStoreError>
        do throws(ObjectStoreError) {
            result = .success(try await probe(keys[0], missing: keys[1], race: keys[2], swaps: keys[3]))
        } catch {
            result = .failure(error)
        }
        try? await store.delete(keys)  // what stays is a few bytes under a name that is never used again
        return try result.get()
    }

    private func probe(
        _ one: String,
        missing: String,
        race: String,
        swaps: String
    ) async throws(ObjectStoreError) -> Verdict {
        let first = Body()
        guard case .written(let version?) = try await put(one, first, .ifAbsent) else {
            return .unfit("an object that is not there could not be created, or got no version")
        }
        guard try await put(one, Body(), .ifAbsent) == .refused else {
            return .unfit("an object that was there was created again (If-None-Match is ignored)")
        }
        guard try await content(one) == first else { return .unfit("an object had another content than was written") }
        let second = Body()
        guard case .written(let newer?) = try await put(one, second, .ifVersion(version)), newer != version else {
            return .unfit("an object could not be replaced by its version")
        }
        guard try await put(one, Body(), .ifVersion(version)) == .refused else {
            return .unfit("an object was replaced by a version that it had no more (If-Match is ignored)")
        }
        guard try await content(one) == second else { return .unfit("a refused write changed an object") }
        guard try await put(missing, Body(), .ifVersion(version)) == .refused else {
            return .unfit("an object that is not there was replaced (If-Match is ignored)")
        }
        if let fact = try await self.race(race, .ifAbsent) { return .unfit(fact) }
        guard case .written(let start?) = try await put(swaps, Body(), .ifAbsent) else {
            return .unfit("an object that is not there could not be created, or got no version")
        }
        if let fact = try await self.race(swaps, .ifVersion(start)) { return .unfit(fact) }
        return .fences
    }

    /// Many write at once; one may win. Returns what went wrong.
    private func race(_ key: String, _ condition: PutCondition) async throws(ObjectStoreError) -> String? {
        let bodies = (0..<Self.racers).map { _ in Body() }
        let results = await withTaskGroup(of: (Int, Result<PutResult, ObjectStoreError>).self) { group in
            for (index, body) in bodies.enumerated() {
                group.addTask {
                    do throws(ObjectStoreError) {
                        return (index, .success(try await put(key, body, condition)))
                    } catch {
                        return (index, .failure(error))
                    }
                }
            }
            var results: [(Int, Result<PutResult, ObjectStoreError>)] = []
            for await result in group { results.append(result) }
            return results
        }
        var (winners, doubtful): ([Int], [Int]) = ([], [])
        for (index, result) in results {
            switch result {
            case .success(.written): winners.append(index)
            case .success(.refused): break
            case .failure(let error):
                guard error.code == .outcomeUnknown else { throw error }
                doubtful.append(index)
            }
        }
        guard winners.count <= 1 else {
            return "\(winners.count) of \(Self.racers) writers were told that they alone had written"
        }
        let there = try await content(key)
        guard let there, let index = bodies.firstIndex(of: there) else {
            if winners.isEmpty, doubtful.isEmpty { return "none of \(Self.racers) writers at once got through" }
            return "a write that was confirmed is not there"
        }
        guard winners.contains(index) || winners.isEmpty && doubtful.contains(index) else {
            return "the object is not the one whose writer was told that it had written"
        }
        return nil
    }

    private enum PutResult: Hashable {
        case written(ObjectVersion?)
        case refused
    }

    private func put(
        _ key: String,
        _ body: Body,
        _ condition: PutCondition
    ) async throws(ObjectStoreError) -> PutResult {
        do throws(ObjectStoreError) {
            let body = ObjectBody.bytes(ByteBuffer(string: body.text))
            return .written(try await store.put(key, body, metadata: ObjectMetadata(), condition: condition))
        } catch {
            guard error.code == .conditionFailed else { throw error }
            return .refused
        }
    }

    private func content(_ key: String) async throws(ObjectStoreError) -> Body? {
        do throws(ObjectStoreError) {
            return Body(text: String(buffer: try await store.getVersioned(key).bytes))
        } catch {
            guard error.code == .notFound else { throw error }
            return nil
        }
    }

    /// What a probe writes: never the same twice, for equal bodies have equal versions and hide a failure.
    private struct Body: Hashable, Sendable {
        var text = "probe \(Nonce.random())"
    }
}

extension Nonce {
    /// A new one.
    static func random() -> Nonce { Nonce(high: .random(in: .min ... .max), low: .random(in: .min ... .max)) }
}
