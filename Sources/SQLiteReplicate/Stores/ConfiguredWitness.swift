import Cluster
import Logging
import ObjectStorage

/// The witness of a configuration, as a `ClusterNode` wants it.
struct ConfiguredWitness: Witness {
    private enum Place {
        case server(WitnessClient)
        case store(any ObjectStore, ClusterLayout)
    }

    private let place: Place
    /// The place, for people.
    let description: String

    /// Takes a place; nothing is asked of it.
    ///
    /// - Parameters:
    ///   - configuration: Where it is.
    ///   - ttl: The lease's time to live: an answer that takes half of it helps nobody.
    ///   - logger: For a store's own messages.
    /// - Throws: `ObjectStoreError` for settings that the store cannot use.
    init(_ configuration: WitnessConfiguration, ttl: Duration, logger: Logger) throws {
        description = configuration.place.name
        switch configuration.place {
        case .server:
            place = .server(
                try configuration.place.client(configuration.access, within: ClusterStores.limit(ttl: ttl))
            )
        case .store(let replica):
            let store = try ClusterStores.leases(replica, ttl: ttl, logger: logger)
            place = .store(store, WitnessPlace.layout(replica))
        }
    }

    func cell(of cluster: ClusterID) -> any LeaseCell {
        switch place {
        case .server(let client): client.cell(of: cluster)
        case .store(let store, let layout): StoreCell(store, key: layout.cell(of: cluster))
        }
    }

    func unfitness() async throws(ObjectStoreError) -> String? {
        guard case .store(let store, let layout) = place,
            case .unfit(let fact) = try await StoreProbe(store, layout: layout).run()
        else { return nil }
        return fact
    }
}
