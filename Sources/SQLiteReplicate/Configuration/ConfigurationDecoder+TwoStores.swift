import Yams

extension ConfigurationDecoder {
    /// Reads what of `cluster` is for two hosts with a store each; the databases were read before.
    func readTwoStores(
        _ top: MappingReader,
        _ defaults: ReplicaDefaults,
        into result: inout ReplicationConfiguration
    ) throws(ConfigurationError) {
        guard let reader = try top.mapping("cluster") else { return }
        result.cluster?.peerStore = try peerStore(reader, defaults)
        result.cluster?.witness = try witness(reader)
        result.cluster?.isUnsafelyPromoted = try reader.bool("unsafe-auto-promote") ?? false
        if result.cluster?.isUnsafelyPromoted == true { warnAboutUnsafePromotion(reader) }
        guard let witness = result.cluster?.witness, let own = result.databases.first?.replica,
            let peer = result.cluster?.peerStore
        else { return }
        warnAboutWitness(witness, reader, stores: [("the database's 'replica'", own), ("'peer-store'", peer)])
    }

    private func peerStore(
        _ reader: MappingReader,
        _ defaults: ReplicaDefaults
    ) throws(ConfigurationError) -> ReplicaConfiguration? {
        guard let node = reader.node("peer-store") else { return nil }
        var result = defaults.replica
        guard node.scalar == nil, let mapping = try reader.mapping("peer-store") else {
            guard let text = try reader.text("peer-store") else { return nil }
            try readURL(text, at: reader.path("peer-store"), into: &result)
            try finishPlace(&result, defaults, own: [], at: reader.path("peer-store"))
            return result
        }
        try mapping.check(known: ConfigurationKeys.replica + ConfigurationKeys.s3)
        try readPlace(mapping, defaults, into: &result)
        result.name = try mapping.text("name")
        return result
    }

    private func witness(_ reader: MappingReader) throws(ConfigurationError) -> WitnessConfiguration? {
        guard let node = reader.node("witness") else { return nil }
        guard node.scalar == nil, let mapping = try reader.mapping("witness") else {
            guard let text = try reader.text("witness") else { return nil }
            return WitnessConfiguration(try witnessPlace(text, at: reader.path("witness")))
        }
        try mapping.check(known: ConfigurationKeys.witness + ConfigurationKeys.s3)
        guard let text = try mapping.text("url") else {
            throw ConfigurationError(
                .missingKey,
                "\(mapping.keyPath) has no 'url': say where the witness is, such as 'url: http://HOST:3001'",
                location: place(of: mapping.keyPath)
            )
        }
        var result = WitnessConfiguration(try witnessPlace(text, at: mapping.path("url")))
        result.access.token = try mapping.secret("token")
        if let text = try mapping.text("certificate-authorities") {
            result.access.certificateAuthorities = try absolute(mapping, "certificate-authorities") {
                paths throws(PathText.NoHome) in try paths.absolute(text)
            }
        }
        let settings = try s3Settings(mapping)
        if case .store(var replica) = result.place {
            for key in ["token", "certificate-authorities"] where mapping.node(key) != nil {
                warn(
                    .ignored,
                    "'\(key)' has no effect on a store in the place of a witness",
                    at: mapping.keyLocation(key)
                )
            }
            if replica.type == .s3 { for set in settings { set(&replica.s3) } }
            result.place = .store(replica)
        }
        var isS3 = false
        if case .store(let replica) = result.place { isS3 = replica.type == .s3 }
        for key in ConfigurationKeys.s3 where !isS3 && mapping.node(key) != nil {
            warn(.ignored, "'\(key)' has no effect: the witness is no store of S3", at: mapping.keyLocation(key))
        }
        return result
    }

    private func witnessPlace(_ text: String, at keyPath: String) throws(ConfigurationError) -> WitnessPlace {
        do throws(ConfigurationError) {
            return try WitnessPlace(text)
        } catch {
            throw ConfigurationError(error.code, "\(keyPath): \(error.message)", location: place(of: keyPath))
        }
    }

    // MARK: - What its owner should know

    private func warnAboutUnsafePromotion(_ reader: MappingReader) {
        warn(
            .adjusted,
            "two hosts that lose sight of each other may both write: what the older one has committed since is a tail then. "
                + "A 'witness' on a third host decides without that danger",
            at: place(of: reader.path("unsafe-auto-promote"))
        )
    }

    private func warnAboutWitness(
        _ witness: WitnessConfiguration,
        _ reader: MappingReader,
        stores: [(name: String, store: ReplicaConfiguration)]
    ) {
        let location = place(of: reader.path("witness"))
        guard let host = witness.host else { return }
        if Endpoint.isLoopback(host) {
            warn(
                .adjusted,
                "the witness is on this host, and gone when this host is: it belongs on a third one",
                at: location
            )
        } else {
            for (name, store) in stores where store.host == host {
                warn(
                    .adjusted,
                    "the witness is on \(host), as \(name): it is gone when that host is, and belongs on a third one",
                    at: location
                )
            }
        }
        guard case .server(let url) = witness.place, !Endpoint.isLoopback(host) else { return }
        if witness.access.token == nil {
            warn(
                .adjusted,
                "a witness on another host wants a token: write 'witness: {url: …, token: …}', with the one that it was "
                    + "started with",
                at: location
            )
        } else if Endpoint.scheme(of: url) == "http" {
            warn(
                .adjusted,
                "the token of the witness travels in the open, and whoever reads it can decide who may write: give the "
                    + "witness a certificate and write https://, or keep it in a network of its own",
                at: location
            )
        }
    }
}

extension WitnessConfiguration {
    /// The host, where one is named.
    fileprivate var host: String? {
        switch place {
        case .server(let url): Endpoint.host(of: url).lowercased()
        case .store(let replica): replica.host
        }
    }
}

extension ReplicaConfiguration {
    /// The host of its server, where one is named.
    fileprivate var host: String? {
        guard type == .s3, let endpoint = s3.endpoint else { return nil }
        return Endpoint.host(of: endpoint).lowercased()
    }
}
