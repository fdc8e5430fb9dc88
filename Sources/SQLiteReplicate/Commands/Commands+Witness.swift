import CSQLite
import Cluster
public import Logging
import ObjectStorage
import Replication
public import SystemPackage

/// What a witness, or a store in its place, tells of itself.
public struct WitnessReport: Hashable, Sendable {
    /// A cell, as far as the place tells.
    public struct Cell: Hashable, Sendable {
        /// The id of its cluster.
        public var name: String
        /// What a swap names as the state that it replaces.
        public var revision: String?
        /// The size of its body in bytes.
        public var size: Int64
        /// When it was changed last, RFC 3339, UTC by the place's clock.
        public var changed: String
    }

    /// The place, for people.
    public var place: String
    /// The number that names the witness's file; `nil` for a store.
    public var witness: String?
    /// The version of the witness's program, where it tells one.
    public var version: String?
    /// Why it is no good as a witness at present; `nil` where it is.
    public var trouble: String?
    /// Whether the trouble is that a store ignores conditions, and so stays.
    public var cannotFence = false
    /// Its cells, by name.
    public var cells: [Cell] = []
}

extension Commands {
    /// Runs a witness until graceful shutdown.
    ///
    /// - Throws: ``WitnessError``.
    public static func runWitness(_ settings: WitnessSettings, logger: Logger) async throws {
        // As for a node: the process is ours.
        _ = csqlite_allocate_cache_pages_singly()
        try await WitnessServer(settings, logger: logger).run()
    }

    /// Asks a witness how it is, and what it holds. A store in its place is probed, which writes a few small objects.
    ///
    /// - Throws: `ObjectStoreError` where it does not answer; `NodeCommandError` where it does not take the token.
    public static func witnessStatus(
        of place: WitnessPlace,
        _ access: WitnessAccess = WitnessAccess(),
        logger: Logger
    ) async throws -> WitnessReport {
        switch place {
        case .server:
            do throws(ObjectStoreError) {
                return try await report(of: place.client(access, within: .seconds(10)))
            } catch {
                guard error.code == .accessDenied else { throw error }
                throw NodeCommandError(.refused, error.message)
            }
        case .store(let replica): return try await report(of: replica, logger: logger)
        }
    }

    private static func report(of client: WitnessClient) async throws(ObjectStoreError) -> WitnessReport {
        let document = try await client.list()
        var report = WitnessReport(place: client.url)
        (report.witness, report.version, report.trouble) = (
            document.witness, document.version, try await client.trouble()
        )
        report.cells = document.cells.map { cell in
            .init(name: cell.name, revision: cell.revision, size: Int64(cell.size), changed: cell.changed)
        }
        return report
    }

    private static func report(of replica: ReplicaConfiguration, logger: Logger) async throws -> WitnessReport {
        let store = try ClusterStores.leases(replica, ttl: .seconds(20), logger: logger)
        let layout = WitnessPlace.layout(replica)
        var report = WitnessReport(place: replica.displayName)
        if case .unfit(let fact) = try await StoreProbe(store, layout: layout).run() {
            (report.trouble, report.cannotFence) = ("\(report.place) cannot be a witness: \(fact).", true)
        }
        report.cells = try await store.list(prefix: layout.cells).compactMap { object in
            guard let name = ClusterID(String(object.key.dropFirst(layout.cells.count))) else { return nil }
            return .init(
                name: name.description,
                revision: object.version?.rawValue,
                size: object.byteCount,
                changed: object.modified.shortText
            )
        }
        return report
    }

    /// Reads a token from a file: its first line.
    ///
    /// - Throws: ``ConfigurationError`` where it cannot be read, or holds no token. The text is never shown.
    public static func token(inFile path: FilePath) async throws -> Secret {
        let bytes: [UInt8]
        do {
            bytes = try await onDisk {
                guard let bytes = try Disk.contents(of: path, limit: 8192) else {
                    throw FileFailure("reading", path, Errno.noSuchFileOrDirectory.rawValue)
                }
                return bytes
            }
        } catch let error as FileFailure {
            throw ConfigurationError(.fileUnreadable, "the token cannot be read from \(path): \(error.errno)")
        }
        let text = String(decoding: bytes, as: UTF8.self)
        return try token(String(text.prefix { !$0.isNewline }), from: "the first line of \(path)")
    }

    /// Takes a token that was read from somewhere.
    ///
    /// - Throws: ``ConfigurationError`` where it is none. The text is never shown.
    public static func token(_ text: String, from place: String) throws(ConfigurationError) -> Secret {
        guard text.utf8.count >= 8, BearerToken.isFit(text) else {
            throw ConfigurationError(
                .invalidValue,
                "\(place) is no token: it has at least 8 characters, all of them visible ASCII; 'openssl rand -hex 32' "
                    + "makes one"
            )
        }
        return Secret(text)
    }
}
