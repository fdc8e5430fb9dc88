import LTX
import NIOCore
import ObjectStorage
import Replication
import SystemPackage
import TestSupport
import Testing

@testable import Cluster

/// The first lease, what a store tells of a cluster, and the ways out of a halt: on a folder and on moto.
@Suite(.timeLimit(.minutes(2))) struct ClusterFoundingTests {
    @Test("A folder: a cluster begins once, behind what is there")
    func folder() async throws {
        try await withTemporaryFolder { try await founding(.folder($0)) }
    }

    @Test("moto: a cluster begins once, behind what is there", .enabled(if: Servers.areExpected))
    func moto() async throws {
        try await withMoto { try await founding(try .bucket($0)) }
    }

    private func founding(_ place: ClusterFounding) async throws {
        try await place.put(level: 0, 1...1, epoch: 0)
        try await place.put(level: 9, 1...2, epoch: 0, checksum: 77)
        try await place.put(level: 0, 2...2, epoch: 0, checksum: 77)
        var highest: [UInt64] = []
        let outcome = try await place.found(by: .sample) { highest.append($0) }
        guard case .founded(let lease) = outcome else {
            Issue.record("it was there already")
            return
        }
        #expect(highest == [2] && lease.begin == 2 && lease.head == ChainPoint(number: 2, checksum: 77))
        #expect(lease.epoch == .zero && lease.state == .free && lease.eligible == [.one] && lease.name == "one")
        #expect(lease.ttl == .milliseconds(600) && lease.url == "http://one" && lease.cluster.rawValue != 0)
        #expect(await LeaseStore(place.leases, layout: place.layout).read().reading.lease == lease)
        // The probe has left nothing behind.
        #expect(try await place.leases.list(prefix: place.layout.prefix).map(\.key) == [place.layout.lease])

        var other = ClusterFounding.Founder.sample
        other.node = .two
        let again = try await place.found(by: other) { highest.append($0) }
        #expect(again == .present(lease) && highest == [2])
    }

    @Test("Of many that begin at once, one does")
    func race() async throws {
        try await withTemporaryFolder { folder in
            let place = ClusterFounding.folder(folder)
            let outcomes = try await withThrowingTaskGroup(of: ClusterFounding.Outcome.self) { group in
                for _ in 0..<8 { group.addTask { try await place.found(by: .sample) { _ in } } }
                return try await group.reduce(into: []) { $0.append($1) }
            }
            #expect(outcomes.count { if case .founded = $0 { true } else { false } } == 1)
            let leases = outcomes.map { outcome in
                switch outcome {
                case .founded(let lease), .present(let lease): lease.cluster
                }
            }
            #expect(Set(leases).count == 1)
        }
    }

    @Test("Where a cluster was and its lease is gone, nothing is begun")
    func traces() async throws {
        try await withTemporaryFolder { folder in
            let place = ClusterFounding.folder(folder)
            var member = ClusterFounding.Founder.sample
            member.cluster = ClusterID(rawValue: 5)
            try await refused(place, by: member, "recreate-lease", "0000000000000005")
            try await place.put(level: 0, 1...1, epoch: 3)
            try await refused(place, by: .sample, "files of epoch 3")
            try await place.put(.sample(epoch: 3, first: 1))
            try await refused(place, by: .sample, "has lost the lease", "recreate-lease")
            let body = ObjectBody.bytes(ByteBuffer(string: "hello"))
            try await place.leases.put(place.layout.lease, body, metadata: ObjectMetadata(), condition: .none)
            try await refused(place, by: .sample, "is not JSON")
            try await place.leases.delete([place.layout.lease])
            try await place.leases.put(place.layout.store, body, metadata: ObjectMetadata(), condition: .none)
            try await refused(place, by: .sample, "'peer-store'", "'witness'")
        }
    }

    private func refused(
        _ place: ClusterFounding,
        by founder: ClusterFounding.Founder,
        _ words: String...
    ) async throws {
        let error = await #expect(throws: NodeCommandError.self) {
            _ = try await place.found(by: founder) { _ in Issue.record("it was about to begin") }
        }
        #expect(error?.code == .needsOperator, "\(error?.message ?? "")")
        for word in words { #expect(error?.message.contains(word) == true, "\(error?.message ?? "")") }
    }

    @Test("What cannot be written on this host comes before the lease")
    func localFailure() async throws {
        try await withTemporaryFolder { folder in
            struct Full: Error {}
            let place = ClusterFounding.folder(folder)
            let error = await #expect(throws: NodeCommandError.self) {
                _ = try await place.found(by: .sample) { _ in throw Full() }
            }
            #expect(error?.code == .failed)
            #expect(await LeaseStore(place.leases, layout: place.layout).read().reading == .absent)
        }
    }

    @Test(
        "The MinIO gateway cannot fence: nothing is begun, and nothing stays behind",
        .enabled(if: Servers.areExpected)
    )
    func gateway() async throws {
        try await withGateway { server in
            let place = try ClusterFounding.bucket(server)
            let error = await #expect(throws: NodeCommandError.self) {
                _ = try await place.found(by: .sample) { _ in Issue.record("it was about to begin") }
            }
            #expect(error?.code == .unfitStore && error?.message.contains("conditional writes") == true)
            #expect(try await place.leases.list(prefix: place.layout.path).isEmpty)
        }
    }

    @Test("A store tells of its cluster: lease, epochs newest first, nodes by name, and what is damaged")
    func survey() async throws {
        try await withTemporaryFolder { folder in
            let place = ClusterFounding.folder(folder)
            var survey = try await place.survey()
            #expect(survey.lease == .absent && !survey.hasTraces && survey.nodes.isEmpty && survey.epochs.isEmpty)
            _ = try await place.found(by: .sample) { _ in }
            for epoch in 1...12 as ClosedRange<UInt64> { try await place.put(.sample(epoch: epoch, first: 10 * epoch)) }
            try await place.put(.sample(.two, "b"))
            try await place.put(.sample(.one, "a"))
            let damaged = place.layout.record(of: NodeID(rawValue: 9))
            let body = ObjectBody.bytes(ByteBuffer(string: "{}"))
            try await place.leases.put(damaged, body, metadata: ObjectMetadata(), condition: .none)
            survey = try await place.survey()
            guard case .body(let lease) = survey.lease else {
                Issue.record("no lease was found")
                return
            }
            #expect(lease.name == "one" && survey.hasTraces && survey.highestEpoch == Epoch(rawValue: 12))
            #expect(survey.epochs.map(\.record.epoch.rawValue) == Array((3...12).reversed()))
            #expect(survey.nodes.map(\.record.name) == ["a", "b"])
            #expect(survey.problems.count == 1 && survey.problems.first?.contains(damaged) == true)
        }
    }

    @Test(
        "Records under both kinds of names are read, the newest epoch first, and of one number that of the higher node"
    )
    func surveyOfPairedEpochs() async throws {
        try await withTemporaryFolder { folder in
            let place = ClusterFounding.folder(folder)
            var other = EpochRecord.sample(epoch: 2, first: 20)
            other.node = .two
            try await place.put(.sample(epoch: 1, first: 10))
            for record in [other, .sample(epoch: 2, first: 20)] { try await place.put(record, in: .paired) }
            let survey = try await place.survey()
            #expect(
                survey.epochs.map { $0.record.stamp.description } == [
                    "2 of \(NodeID.two)", "2 of \(NodeID.one)", "1 of \(NodeID.one)",
                ]
            )
            #expect(survey.highestEpoch == Epoch(rawValue: 2) && survey.problems.isEmpty)
        }
    }
}
