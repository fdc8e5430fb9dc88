import Hummingbird
import HummingbirdCore
import HummingbirdTLS
public import Logging
import NIOSSL
import Replication
public import ServiceLifecycle

/// The third place of a cluster whose hosts have a store each: it holds, for each cluster, one small text that says who may
/// write, and lets nobody change it who has not seen the last change.
///
/// | Request | Answer |
/// | --- | --- |
/// | `GET /v1/cells/CLUSTER` | 200, the body and its `ETag`; 404 where nothing was ever put there |
/// | `PUT /v1/cells/CLUSTER` with `If-Match: ETAG` or `If-None-Match: *` | 200 and the new `ETag`; 412 where the condition does not hold |
/// | `GET /v1/cells` | 200 and the list of cells, ``WitnessDocument`` as JSON |
/// | `GET /health` | 200 `OK` where the file can be read and written, or 503 and why |
///
/// A cell's name is the id of its cluster, 16 hexadecimal digits. `PUT` without a condition is 428, a body of more than 64
/// KiB 413, a token that is missing or wrong 401 (only `/health` goes without), a name or condition that is none 400, a file
/// that does not work 503. There is no `DELETE`. An `ETag` never comes again, whatever becomes of process and file. A `PUT` is
/// answered when it is durable.
///
/// It is a service of its own process, or beside others.
public final class WitnessServer: Service {
    /// Where it keeps its cells, where it listens, and whom it answers.
    public let settings: WitnessSettings
    private let bound = BoundPort()
    private let logger: Logger

    /// Prepares a witness; nothing is opened before ``run()``.
    ///
    /// - Parameters:
    ///   - settings: Where it keeps its cells, where it listens, and whom it answers.
    ///   - logger: For what happens; requests are told at level debug.
    public init(_ settings: WitnessSettings, logger: Logger) { (self.settings, self.logger) = (settings, logger) }

    /// The port at which it listens; waits until it does. May be asked before ``run()``, by any number of tasks.
    ///
    /// - Throws: what ``run()`` throws where it does not come to listen; `CancellationError` where the asking task is
    ///   cancelled, or the server ended before.
    public var port: Int {
        get async throws { try await bound.value() }
    }

    /// Listens and answers until graceful shutdown, which lets requests under way end, or cancellation. To be called once.
    ///
    /// - Throws: ``WitnessError`` where it cannot listen, or its files cannot be used.
    public func run() async throws {
        do {
            try await open()
            bound.settle(.failure(CancellationError()))
        } catch {
            let cause = WitnessError(listening: error, at: settings.listen) ?? error
            bound.settle(.failure(cause))
            throw cause
        }
    }

    private func open() async throws {
        try settings.validate()
        let address = try await settings.resolved()
        let (data, certificate) = (settings.data, settings.certificate)
        // The certificate first: what it lacks is told although the file may be in use.
        let tls = try await onDisk { try certificate?.load() }
        let cells = try await onDisk { try WitnessCells(opening: data) }
        let result: Result<Void, any Error>
        do {
            result = .success(try await serve(cells, at: address, tls))
        } catch {
            result = .failure(error)
        }
        // A task of its own, as this one may be cancelled, and the file is to be free when this returns. What cannot be
        // closed is given free by the end of the process.
        _ = await Task { try await onDisk { try cells.close() } }.result
        try result.get()
    }

    private func serve(_ cells: WitnessCells, at address: String, _ tls: TLSConfiguration?) async throws {
        let probe = HealthProbe(freshness: settings.checkInterval, limit: settings.checkTimeout)
        let responder = WitnessResponder(
            cells: cells,
            token: settings.token.map { BearerToken($0) },
            version: settings.version,
            report: { await probe.report() },
            logger: logger
        )
        let connection = BoundedConnection(clientTimeout: settings.clientTimeout) { request in
            try await responder.respond(to: request)
        }
        try await withThrowingTaskGroup { group in
            group.addTask { await probe.run { await Self.look(at: cells) } }
            defer { group.cancelAll() }
            if let tls {
                try await listen(TLSChannel(connection, tlsConfiguration: tls), at: address)
            } else {
                try await listen(connection, at: address)
            }
        }
    }

    private func listen(_ connection: some ServerChildChannel, at address: String) async throws {
        try await connection.serve(
            at: address,
            port: settings.listen.port,
            maximumConnections: settings.maximumConnections,
            logger: logger
        ) { [bound, logger, settings] port in
            var place = settings.listen
            place.port = port
            logger.notice(
                "Witness listens",
                metadata: [
                    "http.address": "\(place)", "tls": "\(settings.certificate != nil)", "path": "\(settings.data)",
                ]
            )
            bound.settle(.success(port))
        }
    }

    private static func look(at cells: WitnessCells) async -> HealthReport {
        var report = HealthReport()
        do {
            try await onDisk { try cells.check() }
        } catch {
            report.failure = "The witness's file does not work: \(WitnessFile.words(error))"
        }
        return report
    }
}
