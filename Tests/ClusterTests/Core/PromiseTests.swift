import Testing

@testable import Cluster

@Suite struct PromiseTests {
    private let point = ChainPoint(number: 9, checksum: 99)

    private func request(_ session: UInt64 = 11, epoch: UInt64 = 3, cluster: UInt64 = 7) -> PromiseRequest {
        PromiseRequest(
            cluster: ClusterID(rawValue: cluster),
            node: .one,
            session: SessionID(rawValue: session),
            epoch: Epoch(rawValue: epoch),
            ttl: .seconds(6),
            reference: 1
        )
    }

    @Test("N13 A promise is durable before it is answered, and keeps a node from claiming")
    func keeps() throws {
        var node = SampleNode()
        node.join(at: point)
        node.pass(3_000)
        node.tell(.promiseAsked(request()))
        let kept = try #require(node.actions.firstIndex(of: .remember(node.core.memory)))
        let answered = try #require(node.actions.firstIndex(of: .answerPromise(request(), granted: true)))
        #expect(kept < answered)
        let given = node.milliseconds
        while node.core.role == .standby, node.milliseconds < 60_000 {
            node.answerFetch(.absent)
            node.pass(600)
            node.read(.sample(), "v1")
        }
        #expect(node.core.role == .claiming)
        #expect(node.milliseconds - given >= 6_600)
    }

    @Test("N13 After another boot a promise counts anew for its full length")
    func afterBoot() {
        let promise = Promise(
            session: SessionID(rawValue: 11),
            length: .milliseconds(6_600),
            given: Moment(reading: .seconds(5_000)),
            boot: "an earlier one"
        )
        let node = SampleNode(memory: NodeMemory(won: .zero, promise: promise))
        #expect(node.core.promise?.end == Moment(reading: .milliseconds(6_600)))
        let same = SampleNode(memory: NodeMemory(won: .zero, promise: promise), boot: "an earlier one")
        #expect(same.core.promise?.end == Moment(reading: .milliseconds(5_006_600)))
    }

    @Test("N13 No promise to an older epoch than one has won, to a second session, or to another cluster")
    func refuses() {
        var winner = SampleNode(memory: NodeMemory(won: Epoch(rawValue: 4)))
        winner.tell(.promiseAsked(request()))
        #expect(winner.actions.contains(.answerPromise(request(), granted: false)))

        var bound = SampleNode()
        bound.tell(.promiseAsked(request(11)))
        bound.tell(.promiseAsked(request(12)))
        #expect(bound.actions.contains(.answerPromise(request(12), granted: false)))
        bound.tell(.promiseAsked(request(11)))
        #expect(bound.actions.contains(.answerPromise(request(11), granted: true)))

        var stranger = SampleNode()
        stranger.tell(.promiseAsked(request(cluster: 8)))
        #expect(stranger.actions.contains(.answerPromise(request(cluster: 8), granted: false)))
    }

    @Test("N13 No promise while a claim of one's own is unanswered")
    func claiming() {
        var node = SampleNode()
        node.join(at: point)
        node.waitForClaim()
        #expect(node.core.role == .claiming)
        node.tell(.promiseAsked(request()))
        #expect(node.actions.contains(.answerPromise(request(), granted: false)))
    }

    @Test("N13 The promises of all others keep the gate open from the moment of asking; those of some do not")
    func opens() throws {
        var node = SampleNode()
        node.join(at: point)
        node.waitForClaim()
        node.open(at: point)
        #expect(node.core.role == .primary)
        let closed = try #require(node.core.gate.openUntil)
        node.pass(2_000)
        #expect(node.swapped != nil)
        // The renewal goes unanswered for a sixth of the time to live.
        node.pass(1_000)
        let asked = node.milliseconds
        let round = try #require(node.core.asking)
        #expect(round.missing == [.one])
        #expect(node.core.gate.openUntil == closed)
        node.pass(300)
        node.tell(.promiseAnswered(round.ticket, from: .one, granted: false))
        #expect(node.core.gate.openUntil == closed)
        node.tell(.promiseAnswered(round.ticket, from: .one, granted: true))
        #expect(node.core.gate.openUntil == Moment(reading: .milliseconds(asked + 4_000)))
    }

    @Test("N13 A closed gate asks ever less often: promises that nobody hears of run out before the next one")
    func futile() throws {
        var node = SampleNode()
        node.join(at: point)
        node.waitForClaim()
        node.open(at: point)
        let closed = try #require(node.core.gate.openUntil)
        var asked: [Int64] = []
        for _ in 0..<600 {
            node.pass(100)
            if node.actions.contains(where: { if case .askPromises = $0 { true } else { false } }) {
                asked.append(node.milliseconds)
            }
        }
        let gaps = zip(asked.dropFirst(), asked).map { $0 - $1 }
        #expect(gaps.first == 2_000)
        #expect(gaps.last ?? 0 > 6_600, "longer than a promise lasts: \(gaps)")
        #expect(closed < Moment(reading: .milliseconds(asked.last ?? 0)))
    }
}
