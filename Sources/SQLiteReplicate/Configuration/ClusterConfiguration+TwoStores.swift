/// The part of `cluster` that is for two hosts with a store each.
extension ClusterConfiguration {
    /// Checks it against the database's own store.
    func validateTwoStores(_ check: ConfigurationCheck, own: ReplicaConfiguration) throws(ConfigurationError) {
        try validateUnsafePromotion(check)
        guard let peerStore else {
            guard witness == nil else {
                throw check.conflict(
                    "cluster.witness",
                    "is for two hosts with a store each: one store that all nodes use holds the lease itself. Leave it out, "
                        + "or name the other host's store as 'peer-store'"
                )
            }
            return
        }
        if peerStore.type == .s3 { try peerStore.s3.validate(check, keyPath: "cluster.peer-store") }
        if peerStore.type == .file, peerStore.path.isEmpty {
            throw check.error("cluster.peer-store.path", "must not be empty")
        }
        guard peerStore.identity != own.identity else {
            throw check.conflict(
                "cluster.peer-store",
                "is \(peerStore.displayName), as the database's 'replica': that is the store on this host, and 'peer-store' "
                    + "the one on the other. With one store for both leave 'peer-store' and 'witness' out"
            )
        }
        guard let witness else { return }
        try validate(witness, check, stores: [("the database's 'replica'", own), ("'peer-store'", peerStore)])
    }

    /// The one key that lets a node speak for a person.
    private func validateUnsafePromotion(_ check: ConfigurationCheck) throws(ConfigurationError) {
        guard isUnsafelyPromoted else { return }
        guard peerStore != nil, witness == nil else {
            throw check.conflict(
                "cluster.unsafe-auto-promote",
                "is for two hosts with a store each and no witness. Here nodes take over by themselves, and safely: leave it out"
            )
        }
        guard healthURL != nil else {
            throw check.error(
                "cluster.unsafe-auto-promote",
                "needs 'health-url', the other node's: its failures are what it goes by. Add 'health-url: "
                    + "http://HOST:3000/health'"
            )
        }
    }

    private func validate(
        _ witness: WitnessConfiguration,
        _ check: ConfigurationCheck,
        stores: [(name: String, store: ReplicaConfiguration)]
    ) throws(ConfigurationError) {
        if let token = witness.access.token, token.exposed.utf8.count < 8 || !BearerToken.isFit(token.exposed) {
            throw check.error(
                "cluster.witness.token",
                "must have at least 8 characters, all of them visible ASCII: 'openssl rand -hex 32' makes one"
            )
        }
        guard case .store(let replica) = witness.place else { return }
        if replica.type == .s3 { try replica.s3.validate(check, keyPath: "cluster.witness") }
        for (name, store) in stores where store.identity == replica.identity {
            throw check.conflict(
                "cluster.witness",
                "is \(replica.displayName), as \(name): a witness is a third place, on neither of the two hosts"
            )
        }
    }
}
