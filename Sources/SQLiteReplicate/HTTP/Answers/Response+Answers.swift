import Cluster
import Hummingbird
import HummingbirdCore
import NIOCore

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

extension Response {
    private static func of(_ status: HTTPResponse.Status, _ type: String, _ body: ByteBuffer) -> Response {
        Response(
            status: status,
            headers: [.contentType: type, .cacheControl: "no-store"],
            body: ResponseBody(byteBuffer: body)
        )
    }

    /// One line of plain text.
    static func line(_ status: HTTPResponse.Status, _ words: String) -> Response {
        of(status, "text/plain; charset=utf-8", ByteBuffer(string: words))
    }

    /// A document, keys in order.
    static func json(_ status: HTTPResponse.Status, _ value: some Encodable) -> Response {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        do {
            return of(status, "application/json", ByteBuffer(bytes: try encoder.encode(value)))
        } catch {
            return line(.internalServerError, "The answer cannot be written as JSON.")
        }
    }

    /// Why a request was not carried out.
    static func problem(_ status: HTTPResponse.Status, _ reason: String) -> Response {
        json(status, ["reason": reason])
    }

    /// A body that is larger than `limit`; the connection ends, as the rest of it is in the way.
    static func tooLarge(_ limit: Int) -> Response {
        problem(.contentTooLarge, "A body here has at most \(limit) bytes.").with(.connection, "close")
    }

    /// A token that is missing or wrong.
    ///
    /// - Parameter whose: Whose token is wanted: `the node's`.
    static func tokenWanted(_ whose: String) -> Response {
        problem(.unauthorized, "This wants \(whose) token, as 'Authorization: Bearer TOKEN'.")
            .with(.wwwAuthenticate, "Bearer realm=\"sqlite-replicate\"")
    }

    /// Bytes of somebody else's making.
    static func bytes(_ bytes: [UInt8]) -> Response {
        of(.ok, "application/octet-stream", ByteBuffer(bytes: bytes))
    }

    /// Numbers for Prometheus.
    static func metrics(_ text: String) -> Response {
        of(.ok, "text/plain; version=0.0.4; charset=utf-8", ByteBuffer(string: text))
    }

    /// Whether all is well.
    static func health(_ report: HealthReport) -> Response {
        if let failure = report.failure { return line(.serviceUnavailable, failure.oneLine) }
        let answer = line(.ok, "OK")
        guard !report.degradations.isEmpty, let name = HTTPFields.Element.Name("X-Degraded") else { return answer }
        // Clients take heads of some kilobytes; /status has all of them.
        return answer.with(name, report.degradations.prefix(8).map(\.headerValue).joined(separator: "; "))
    }

    /// Whether the node is in the role that was asked for.
    static func role(_ report: HealthReport, _ isInRole: Bool) -> Response {
        let role = report.status?.role.rawValue
        if isInRole, let role { return line(.ok, role) }
        if let failure = report.failure { return line(.serviceUnavailable, failure.oneLine) }
        return line(.serviceUnavailable, role.map { "This node is \($0)." } ?? "This process is no node of a cluster.")
    }

    /// The same with one more header.
    func with(_ name: HTTPFields.Element.Name, _ value: String) -> Response {
        var answer = self
        answer.headers[name] = value
        return answer
    }
}

extension String {
    /// The text without line ends, and not too long for one.
    var oneLine: String {
        let words = split { $0.isNewline || ($0.isASCII && ($0.asciiValue ?? 0) < 0x20) }.joined(separator: " ")
        return words.count <= 500 ? words : words.prefix(499) + "…"
    }

    /// The text as a header can carry it.
    var headerValue: String {
        String(
            oneLine.map { character in
                guard let byte = character.asciiValue, (0x20...0x7E).contains(byte) else { return "?" }
                return character
            }
        )
    }
}
