import Cluster
import Hummingbird
import HummingbirdCore
import Logging
import Replication

/// Answers the requests to a witness; it holds nothing that changes.
struct WitnessResponder: Sendable {
    let cells: WitnessCells
    let token: BearerToken?
    let version: String?
    let report: @Sendable () async -> HealthReport
    let logger: Logger

    /// The answer to a request.
    ///
    /// - Throws: what reading the body throws, and `CancellationError`: then nobody is there to be answered.
    func respond(to request: Request) async throws -> Response {
        let answer = try await answer(to: request)
        // Without the query, in which somebody might send a token.
        let path = (request.head.path ?? "").prefix { $0 != "?" }
        logger.debug(
            "Answered",
            metadata: [
                "http.method": "\(request.method.rawValue)", "http.path": "\(String(path).oneLine)",
                "http.status": "\(answer.status.code)",
            ]
        )
        return request.method == .head ? answer.createHeadResponse() : answer
    }

    private func answer(to request: Request) async throws -> Response {
        switch WitnessRoute.find(method: request.method.rawValue, path: request.head.path ?? "") {
        case .unknownPath:
            return .problem(.notFound, "There is nothing here: this is a witness, its cells are /v1/cells/CLUSTER.")
        case .otherMethod(let allowed, let reason):
            return .problem(.methodNotAllowed, reason).with(.allow, allowed)
        case .unfitName(let name):
            if let refusal = refusal(of: request, isWrite: false) { return refusal }
            return .problem(
                .badRequest,
                "'\(name.oneLine)' names no cell: a cell's name is the id of its cluster, 16 hexadecimal digits."
            )
        case .route(.health): return .health(await report())
        case .route(.list):
            if let refusal = refusal(of: request, isWrite: false) { return refusal }
            return try await answering { .json(.ok, WitnessDocument(cells.identity, version, try cells.list())) }
        case .route(.read(let name)):
            if let refusal = refusal(of: request, isWrite: false) { return refusal }
            return try await answering {
                guard let content = try cells.read(name) else { return .absent(name) }
                return .bytes(content.bytes).with(.eTag, content.revision.tag)
            }
        case .route(.write(let name)):
            if let refusal = refusal(of: request, isWrite: true) { return refusal }
            return try await write(name, request)
        }
    }

    /// Why a request is not listened to; `nil` where it is.
    private func refusal(of request: Request, isWrite: Bool) -> Response? {
        guard let token else {
            // Whoever reaches the loopback may write, but a page in a browser there may not.
            guard isWrite, request.headers[.origin] != nil else { return nil }
            return .problem(.forbidden, "What web pages send is not taken.")
        }
        return token.isBrought(by: request.headers[.authorization]) ? nil : .tokenWanted("the witness's")
    }

    private func write(_ name: ClusterID, _ request: Request) async throws -> Response {
        let condition: WitnessCondition
        do throws(WitnessCondition.Problem) {
            condition = try WitnessCondition(
                ifMatch: request.headers[.ifMatch],
                ifNoneMatch: request.headers[.ifNoneMatch]
            )
        } catch {
            switch error {
            case .missing:
                return .problem(
                    .preconditionRequired,
                    "A cell is written with 'If-Match: ETAG', or with 'If-None-Match: *' where it is not there yet."
                )
            case .unfit(let words): return .problem(.badRequest, words)
            }
        }
        guard let body = try await request.wholeBody(upTo: WitnessCells.bodyLimit) else {
            return .tooLarge(WitnessCells.bodyLimit)
        }
        guard body.readableBytes > 0 else { return .problem(.badRequest, "The body is empty: a cell is not emptied.") }
        let bytes = [UInt8](buffer: body)
        return try await answering {
            switch try cells.put(bytes, in: name, if: condition) {
            case .stored(let revision): return .stored(revision)
            case .refused(let present): return .refused(name, present)
            case .full:
                return .problem(
                    HTTPResponse.Status(code: 507, reasonPhrase: "Insufficient Storage"),
                    "There are \(WitnessCells.cellLimit) cells, and there cannot be more: cells of clusters that are no "
                        + "more go by hand, while the witness is stopped."
                )
            }
        }
    }

    /// Works on the file where that may block, and says so where it does not work.
    private func answering(_ body: @escaping @Sendable () throws -> Response) async throws -> Response {
        do {
            return try await onDisk(body)
        } catch let error as CancellationError {
            throw error
        } catch {
            let fact = WitnessFile.words(error)
            logger.error("The file of the witness does not work", metadata: ["error": "\(fact)"])
            return .problem(
                .serviceUnavailable,
                "The witness's file does not work (\(fact)). A write was not carried out: read the cell before the next."
            )
        }
    }
}

extension Response {
    /// A cell that is not there; by `absent` a client tells it from an address that is wrong.
    fileprivate static func absent(_ name: ClusterID) -> Response {
        .json(.notFound, ["absent": name.description, "reason": "Nothing was ever put into the cell \(name)."])
    }

    /// A cell that was written.
    fileprivate static func stored(_ revision: WitnessRevision) -> Response {
        .json(.ok, ["revision": revision.description]).with(.eTag, revision.tag)
    }

    /// A condition that did not hold.
    fileprivate static func refused(_ name: ClusterID, _ present: WitnessRevision?) -> Response {
        let words = present.map { "is at revision \($0)" } ?? "is not there"
        return .problem(.preconditionFailed, "Nothing was written: the cell \(name) \(words).")
    }
}
