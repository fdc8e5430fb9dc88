import Cluster
import NIOHTTP1
import ObjectStorage
import SQLiteReplicate
import SystemPackage
import TestSupport
import Testing

/// A lease in a witness, as a node sees it.
@Suite(.timeLimit(.minutes(2))) struct WitnessCellTests {
    @Test("A lease is absent, is created once, and is swapped by whoever has read it last")
    func life() async throws {
        try await withWitness { url in
            let lease = LeaseStore(WitnessClient(url: url).cell(of: .watched))
            #expect(await lease.read().reading == .absent)
            guard case .swapped(let first) = await lease.swap(.watched(counter: 1, nonce: 1), condition: nil).answer
            else {
                Issue.record("the lease could not be created")
                return
            }
            #expect(await lease.swap(.watched(counter: 9, nonce: 9), condition: nil).answer == .refused)
            #expect(await lease.read().reading == .body(.watched(counter: 1, nonce: 1), first))
            guard case .swapped(let second) = await lease.swap(.watched(counter: 2, nonce: 2), condition: first).answer
            else {
                Issue.record("the lease could not be swapped")
                return
            }
            #expect(second != first)
            #expect(await lease.swap(.watched(counter: 9, nonce: 9), condition: first).answer == .refused)
            #expect(await lease.read().reading == .body(.watched(counter: 2, nonce: 2), second))
            let other = LeaseStore(WitnessClient(url: url).cell(of: ClusterID(rawValue: 0xC2)))
            #expect(await other.swap(.watched(counter: 3, nonce: 3), condition: second).answer == .refused)

            _ = try await written(cell(url), "something else", replacing: second.rawValue)
            guard case .unfit(let words) = await lease.read().reading else {
                Issue.record("something else was taken for a lease")
                return
            }
            #expect(words.contains("is not JSON") && words.contains("\(ClusterID.watched) of the witness \(url)"))
        }
    }

    @Test("A swap whose request or answer is lost is unknown, and a read tells what became of it")
    func lostAnswers() async throws {
        try await withWitness { url in
            let proxy = try await FaultProxy.start(before: url)
            let straight = LeaseStore(WitnessClient(url: url).cell(of: .watched))
            let lease = LeaseStore(
                WitnessClient(url: proxy.endpoint, within: .milliseconds(400)).cell(of: .watched)
            )
            guard case .swapped(var version) = await lease.swap(.watched(counter: 1, nonce: 0), condition: nil).answer
            else {
                Issue.record("the lease could not be created")
                return
            }
            var present = Lease.watched(counter: 1, nonce: 0)
            for (number, fault) in FaultRule.Fault.usual.enumerated() {
                let next = Lease.watched(counter: UInt64(number) + 2, nonce: UInt64.random(in: .min ... .max))
                let sent = proxy.exchanges.count
                proxy.removeRules()
                proxy.add(FaultRule(fault, method: .PUT))
                let swap = await lease.swap(next, condition: version)
                proxy.removeRules()
                #expect(swap.answer == .unknown, "\(fault): \(swap)")
                #expect(swap.error != nil, "\(fault)")
                #expect(proxy.exchanges.count == sent + 1, "\(fault): it was sent again")
                // By another way: a stalled request may still be under way on this one.
                guard case .body(let there, let now) = await straight.read().reading else {
                    Issue.record("\(fault): no lease can be read")
                    return
                }
                #expect(there == next || there == present, "\(fault)")
                #expect((there == next) == (now != version), "\(fault)")
                switch fault {
                case .loseAnswer, .answer(_, _, isForwarded: true): #expect(there == next, "\(fault)")
                default: #expect(there == present, "\(fault)")
                }
                // Who lost the answer and swaps by the old version is refused where the first one landed.
                let again = await lease.swap(next, condition: version).answer
                if there == next {
                    #expect(again == .refused, "\(fault)")
                    version = now
                } else if case .swapped(let newer) = again {
                    version = newer
                } else {
                    Issue.record("\(fault): \(again)")
                }
                present = next
            }
            for fault in FaultRule.Fault.usual {
                proxy.add(FaultRule(fault, method: .GET))
                let read = await lease.read()
                proxy.removeRules()
                #expect(read.reading == .failed && read.error != nil, "\(fault): \(read)")
                #expect(read.error?.code != .notFound && read.error?.code != .outcomeUnknown, "\(fault)")
            }
            #expect(await lease.read().reading == .body(present, version))
            try await proxy.stop()
            let gone = await lease.swap(.watched(counter: 99, nonce: 0), condition: version)
            // Before a connection, or in the middle of one that had been kept.
            let isGone = gone.error?.code == .unreachable || gone.error?.code == .outcomeUnknown
            #expect(gone.answer == .unknown && isGone, "\(gone)")
        }
    }

    @Test("What is no witness's answer is never taken for an absent cell, or for a swap")
    func others() async throws {
        try await withServer(TestNode()) { url in
            let lease = LeaseStore(WitnessClient(url: url).cell(of: .watched))
            let read = await lease.read()
            #expect(read.reading == .failed && read.error?.code == .invalidAnswer)
            #expect(read.error?.message.contains("the address of a witness") == true)
            let swap = await lease.swap(.watched(counter: 1, nonce: 1), condition: nil)
            #expect(swap.answer == .unknown && swap.error?.code == .invalidAnswer)
        }
        let nobody = await LeaseStore(WitnessClient(url: "http://127.0.0.1:9").cell(of: .watched)).read()
        #expect(nobody.reading == .failed && nobody.error?.code == .unreachable)
        let nowhere = await LeaseStore(WitnessClient(url: "witness").cell(of: .watched)).read()
        #expect(nowhere.error?.code == .invalidRequest && nowhere.error?.message.contains("http://HOST:PORT") == true)
    }

    @Test("Without the right token a lease is neither read nor written, and it is said what to do")
    func token() async throws {
        try await withTemporaryFolder { folder in
            try await withWitness(.at(folder, token: Secret("c0rrect-horse"))) { url in
                for (token, words) in [(nil, "wants a token"), (Secret("wr0ng-battery"), "does not take the token")] {
                    let lease = LeaseStore(WitnessClient(url: url, token: token).cell(of: .watched))
                    let read = await lease.read()
                    #expect(read.reading == .failed && read.error?.code == .accessDenied)
                    #expect(read.error?.message.contains(words) == true)
                    let swap = await lease.swap(.watched(counter: 1, nonce: 1), condition: nil)
                    #expect(swap.answer == .unknown && swap.error?.code == .accessDenied)
                }
                let right = LeaseStore(WitnessClient(url: url, token: Secret("c0rrect-horse")).cell(of: .watched))
                #expect(await right.read().reading == .absent)
            }
        }
    }
}
