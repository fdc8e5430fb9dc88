import Cluster
import SQLiteReplicate
import TestSupport
import Testing

/// What node 1 asks for, as it is sent.
private let samplePromise = """
    {"cluster":"00000000000000c1","node":"0000000000000001","session":"000000000000005e","epoch":3,"ttl_ms":6000}
    """

@Suite(.timeLimit(.minutes(1))) struct ClusterRouteTests {
    @Test("A promise names the node that gives it, its cluster, and the session it is given to")
    func promise() async throws {
        let node = TestNode(2)
        try await withServer(node) { url in
            let answer = try await send("POST", url + "/cluster/promise", body: samplePromise)
            #expect(answer.status == 200)
            #expect(
                answer.body == """
                    {"cluster":"00000000000000c1","node":"0000000000000002","session":"000000000000005e"}
                    """
            )
            var asked = try #require(await node.asked.first)
            asked.reference = 9
            #expect(asked == .sample())
        }
    }

    @Test("A promise that is not given is 409, and says why")
    func noPromise() async throws {
        let node = TestNode(2, role: .claiming)
        try await withServer(node) { url in
            await node.setPromises(false)
            var answer = try await send("POST", url + "/cluster/promise", body: samplePromise)
            #expect(answer.status == 409 && answer.body.contains("0000000000000002 is claiming"))
            await node.setPromises(true)

            await node.set { $0.cluster = ClusterID(rawValue: 0xC2) }
            answer = try await send("POST", url + "/cluster/promise", body: samplePromise)
            #expect(answer.status == 409 && answer.body.contains("of cluster 00000000000000c2, not 00000000000000c1"))
            await node.set { $0.cluster = nil }
            answer = try await send("POST", url + "/cluster/promise", body: samplePromise)
            #expect(answer.status == 409 && answer.body.contains("does not know its cluster"))
            await node.set { $0.cluster = .sample }
            let own = samplePromise.replacing("0000000000000001", with: "0000000000000002")
            answer = try await send("POST", url + "/cluster/promise", body: own)
            #expect(answer.status == 409 && answer.body.contains("to itself"))
            // Only the first was asked of the node at all.
            #expect(await node.asked.count == 1)
        }
    }

    @Test(
        "A message that is none is 400, and says what is wrong with it",
        arguments: [
            ("", "no JSON object"), ("[]", "no JSON object"), ("{", "no JSON object"), ("null", "no JSON object"),
            ("\u{0}\u{1}\u{2}", "no JSON object"), (String(repeating: "[", count: 16000), "no JSON object"),
            (String(repeating: #"{"a":"#, count: 400) + "1" + String(repeating: "}", count: 400), "'cluster'"),
            ("{}", "'cluster'"), (samplePromise.replacing("00c1", with: "00cg"), "'cluster'"),
            (samplePromise.replacing("00c1", with: "0c1"), "'cluster'"),
            (samplePromise.replacing("node", with: "nod"), "'node'"),
            (samplePromise.replacing(#""000000000000005e""#, with: "94"), "'session'"),
            (samplePromise.replacing(":3,", with: ":-3,"), "'epoch'"),
            (samplePromise.replacing(":3,", with: ":0,"), "'epoch'"),
            (samplePromise.replacing(":3,", with: #":"3","#), "'epoch'"),
            (samplePromise.replacing(":3,", with: ":99999999999999999999,"), "'epoch'"),
            (samplePromise.replacing("6000", with: "299"), "'ttl_ms'"),
            (samplePromise.replacing("6000", with: "86400001"), "'ttl_ms'"),
            (samplePromise.replacing("6000", with: "6000.5"), "'ttl_ms'"),
            (samplePromise.replacing("6000", with: "null"), "'ttl_ms'"),
        ]
    )
    func malformed(body: String, words: String) async throws {
        let node = TestNode(2)
        try await withServer(node) { url in
            let answer = try await send("POST", url + "/cluster/promise", body: body)
            #expect(answer.status == 400 && answer.body.contains(words), "\(answer.body)")
            #expect(answer.header("content-type") == "application/json")
            #expect(await node.asked.isEmpty)
        }
    }

    @Test("A hint is passed on, whatever it says")
    func hint() async throws {
        let node = TestNode(2)
        try await withServer(node) { url in
            for body in ["", "{}", "hello"] {
                let answer = try await send("POST", url + "/cluster/hint", body: body)
                #expect(answer.status == 204 && answer.body.isEmpty)
            }
            #expect(await node.hintCount == 3)
        }
    }

    @Test("Commands are carried out, and what they change is seen at once")
    func commands() async throws {
        let node = TestNode(2, role: .standby)
        await node.setName("b", 7)
        try await withServer(node) { url in
            #expect(try await send("GET", url + "/primary").status == 503)
            let answer = try await send("POST", url + "/cluster/promote", body: #"{"acceptLoss":true}"#)
            #expect(answer.status == 200 && answer.body == #"{"done":true}"#)
            #expect(try await send("GET", url + "/primary").status == 200)
            #expect(try await send("POST", url + "/cluster/promote").status == 200)
            #expect(try await send("POST", url + "/cluster/switchover", body: #"{"to":"b"}"#).status == 200)
            #expect(try await send("GET", url + "/primary").status == 503)
            let id = #"{"to":"00000000000000AB"}"#
            #expect(try await send("POST", url + "/cluster/switchover", body: id).status == 200)
            #expect(try await send("POST", url + "/cluster/demote", body: "{}").status == 200)
            #expect(
                await node.commands == [
                    .promote(acceptLoss: true), .promote(acceptLoss: false), .switchover(to: NodeID(rawValue: 7)),
                    .switchover(to: NodeID(rawValue: 0xAB)), .demote,
                ]
            )
        }
    }

    @Test(
        "A command that is refused is told with its code and reason",
        arguments: [
            (NodeCommandError.Code.refused, "refused", 409), (.failed, "failed", 500), (.unfitStore, "unfitStore", 409),
            (.needsOperator, "needsOperator", 409),
        ]
    )
    func refused(code: NodeCommandError.Code, word: String, status: Int) async throws {
        let node = TestNode(2)
        await node.setObstacle(NodeCommandError(code, "Node one is primary: use switchover."))
        try await withServer(node) { url in
            let answer = try await send("POST", url + "/cluster/promote")
            #expect(answer.status == status)
            #expect(answer.body == #"{"code":"\#(word)","reason":"Node one is primary: use switchover."}"#)
            let error = await #expect(throws: NodeCommandError.self) {
                try await NodeClient().perform(.promote(acceptLoss: false), at: url)
            }
            #expect(error == NodeCommandError(code, "Node one is primary: use switchover."))
        }
    }

    @Test("A switchover to nobody is refused, and one without a name is 400")
    func switchoverTarget() async throws {
        let node = TestNode(2)
        try await withServer(node) { url in
            let error = await #expect(throws: NodeCommandError.self) {
                try await NodeClient().perform(.switchover(to: "nobody"), at: url)
            }
            #expect(error?.code == .refused && error?.message.contains("'nobody'") == true)
            for body in ["", "{}", #"{"to":""}"#, #"{"to":1}"#] {
                #expect(try await send("POST", url + "/cluster/switchover", body: body).status == 400)
            }
            let wrong = try await send("POST", url + "/cluster/promote", body: #"{"acceptLoss":"yes"}"#)
            #expect(wrong.status == 400 && wrong.body.contains("'acceptLoss'"))
            #expect(await node.commands.isEmpty)
        }
    }
}
