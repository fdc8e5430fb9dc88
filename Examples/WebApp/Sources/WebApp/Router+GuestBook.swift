import Cluster
import Hummingbird
import SQLiteReplicate

extension Router where Context == BasicRequestContext {
    /// What the application answers.
    ///
    /// | Request | Answer |
    /// | --- | --- |
    /// | `GET /entries` | the entries, a line each; on any node |
    /// | `POST /entries` | 201: on every later primary, whatever fails; 202: here, and not yet in the store; 503: ask the primary |
    static func guestBook(_ book: GuestBook, node: ClusterNode) -> Router {
        let router = Router()
        router.get("entries") { _, _ in
            do {
                return EditedResponse(status: .ok, response: try await book.entries().map { $0 + "\n" }.joined())
            } catch is GuestBook.NotOpen {
                return EditedResponse(status: .serviceUnavailable, response: "There is no database yet.\n")
            }
        }
        router.post("entries") { request, _ in
            let text = String(buffer: try await request.body.collect(upTo: 1024))
            do {
                try await book.add(text)
            } catch is WriteRefused {
                return EditedResponse(status: .serviceUnavailable, response: "This node does not write.\n")
            } catch is GuestBook.NotOpen {
                return EditedResponse(status: .serviceUnavailable, response: "There is no database yet.\n")
            }
            do {
                try await node.replicate(timeout: .seconds(5))
                return EditedResponse(status: .created, response: "Replicated.\n")
            } catch {
                // It is committed. Whether it outlives this host is not known yet.
                return EditedResponse(status: .accepted, response: "Committed; the store does not answer.\n")
            }
        }
        return router
    }
}
