import Cluster
import Hummingbird
import HummingbirdCore
import NIOCore

/// Passes on to the node what other nodes and operators want of it.
struct NodeResponder: Sendable {
    let node: any NodeControl
    /// Called when something may have changed the node's state.
    let forget: @Sendable () -> Void

    /// The answer to a request with this body.
    func respond(_ route: HealthRoute, _ body: ByteBuffer) async -> Response {
        do throws(MessageError) {
            switch route {
            case .promise: return await promise(try PromiseMessage(parsing: body))
            case .promote:
                let members = try MessageReader(body, isOptional: true)
                if try members.flag("peerIsDown") {
                    return await perform(.promotePeerIsDown(try members.answers("yes")))
                }
                return await perform(.promote(acceptLoss: try members.flag("acceptLoss")))
            case .switchover:
                let members = try MessageReader(body)
                return await switchover(to: try members.string("to"))
            case .demote: return await perform(.demote)
            default:
                await node.hint()
                return Response(status: .noContent)
            }
        } catch {
            return .problem(.badRequest, error.message)
        }
    }

    /// Another node asks not to be taken over from (failover-review N13, N17).
    private func promise(_ message: PromiseMessage) async -> Response {
        let status = await node.status()
        guard let cluster = status.cluster else {
            return .problem(.conflict, "Node \(status.node) does not know its cluster yet.")
        }
        guard cluster == message.cluster else {
            return .problem(.conflict, "Node \(status.node) is of cluster \(cluster), not \(message.cluster).")
        }
        guard status.node != message.node else {
            return .problem(.conflict, "Node \(status.node) makes no promise to itself: two nodes have one address.")
        }
        guard await node.promise(message.request) else {
            return .problem(.conflict, "Node \(status.node) is \(status.role.rawValue) and does not promise that.")
        }
        return .json(.ok, PromiseAnswer(cluster: cluster, node: status.node, session: message.session))
    }

    private func switchover(to text: String) async -> Response {
        guard let target = await node.node(named: text) else {
            let words = "No node of the cluster has the name or the id '\(text.oneLine)': see 'cluster status'."
            return refusal(NodeCommandError(.refused, words))
        }
        return await perform(.switchover(to: target))
    }

    private func perform(_ command: NodeCommand) async -> Response {
        defer { forget() }
        do throws(NodeCommandError) {
            try await node.perform(command)
            return .json(.ok, ["done": true])
        } catch {
            return refusal(error)
        }
    }

    private func refusal(_ error: NodeCommandError) -> Response {
        .json(
            error.code == .failed ? .internalServerError : .conflict,
            ["code": error.code.word, "reason": error.message]
        )
    }
}

extension NodeCommandError.Code {
    /// The code as it is sent.
    var word: String {
        switch self {
        case .refused: "refused"
        case .failed: "failed"
        case .unfitStore: "unfitStore"
        case .needsOperator: "needsOperator"
        }
    }

    /// The code of a word that was sent; `nil` for others.
    init?(word: String) {
        guard let code = [Self.refused, .failed, .unfitStore, .needsOperator].first(where: { $0.word == word }) else {
            return nil
        }
        self = code
    }
}
