import Testing

@testable import Cluster

/// What two records tell a node.
@Suite struct TwoStoreVerdictTests {
    private typealias Sight = TwoStoreVerdict.Sight
    private static let (first, second) = (ClusterID(rawValue: 5), ClusterID(rawValue: 9))

    private static func record(
        _ host: NodeID?,
        _ state: StoreRecord.State,
        _ cluster: ClusterID = first
    ) -> Sight { .record(StoreRecord(cluster: cluster, host: host, name: "b", state: state)) }

    private func expect(
        _ verdict: TwoStoreVerdict,
        of cluster: ClusterID? = nil,
        _ own: Sight,
        _ peer: Sight,
        at location: SourceLocation = #_sourceLocation
    ) {
        let found = TwoStoreVerdict.decide(.one, of: cluster, own: own, peer: peer)
        #expect(found == verdict, sourceLocation: location)
    }

    @Test("A node of no cluster begins one, completes one, waits, or joins")
    func newNode() {
        let (open, mine) = (Self.record(nil, .beginning), Self.record(.one, .beginning))
        let (theirs, begun) = (Self.record(.two, .beginning), Self.record(.two, .begun))
        expect(.nothing, .absent, .absent)
        expect(.unclear(.own), .unseen, .absent)
        expect(.unclear(.own), .unseen, begun)
        expect(.unclear(.peer), .absent, .unseen)
        expect(.unfinished(Self.first), .absent, open)
        expect(.unfinished(Self.first), open, .absent)
        expect(.unfinished(Self.first), open, open)
        expect(.unfinished(Self.first), mine, .absent)
        expect(.unfinished(Self.first), mine, .unseen)
        expect(.unfinished(Self.first), mine, open)
        expect(.unfinished(Self.first), mine, theirs)
        expect(.awaited(Self.first, by: "b"), open, theirs)
        expect(.awaited(Self.first, by: "b"), .absent, theirs)
        expect(.unclear(.peer), open, .unseen)
        expect(.joins(Self.first), open, begun)
        expect(.joins(Self.first), mine, begun)
        expect(.joins(Self.first), .absent, begun)
        expect(.joins(Self.first), Self.record(nil, .begun), .unseen)
        expect(.member(Self.first), Self.record(.one, .begun), begun)
    }

    @Test("Of two founders the smaller id counts, as long as neither store has a host")
    func twoFounders() {
        let open = Self.record(nil, .beginning)
        let other = Self.record(nil, .beginning, Self.second)
        expect(.unfinished(Self.first), open, other)
        expect(.unfinished(Self.first), other, open)
        expect(
            .wrong(.different(Self.first, peer: Self.second)),
            Self.record(.one, .begun),
            Self.record(.two, .begun, Self.second)
        )
        expect(.wrong(.different(Self.second, peer: Self.first)), other, Self.record(.two, .begun))
    }

    @Test("A member stands without its peer's store, and without its own")
    func member() {
        let mine = Self.record(.one, .begun)
        for peer in [Sight.absent, .unseen, Self.record(nil, .begun), Self.record(.two, .begun)] {
            expect(.member(Self.first), of: Self.first, mine, peer)
            expect(.member(Self.first), of: Self.first, .unseen, peer)
        }
        // A store that went back, or is new.
        expect(.joins(Self.first), of: Self.first, Self.record(nil, .beginning), .unseen)
        expect(.joins(Self.first), of: Self.first, .absent, Self.record(.two, .begun))
        expect(.joins(Self.first), of: Self.first, .absent, Self.record(nil, .beginning))
        expect(.unclear(.peer), of: Self.first, .absent, .unseen)
        expect(.wrong(.lost(Self.first)), of: Self.first, .absent, .absent)
        expect(.member(Self.first), of: Self.first, Self.record(.one, .beginning), .unseen)
    }

    @Test("Stores that are swapped, given twice, or of others are told from each other")
    func faults() {
        let (mine, theirs) = (Self.record(.one, .begun), Self.record(.two, .begun))
        for cluster in [nil, Self.first] {
            expect(.wrong(.sameStore), of: cluster, mine, mine)
            expect(.wrong(.sameStore), of: cluster, theirs, theirs)
            expect(.wrong(.swapped), of: cluster, theirs, mine)
            expect(.wrong(.swapped), of: cluster, Self.record(nil, .begun), mine)
            expect(.wrong(.peerIsOwn), of: cluster, .absent, mine)
            expect(.replaces(.two, Self.first), of: cluster, theirs, Self.record(nil, .begun))
            expect(.replaces(.two, Self.first), of: cluster, theirs, .unseen)
        }
        let other = Self.record(.one, .begun, Self.second)
        expect(.wrong(.foreign(.own, Self.second, own: Self.first)), of: Self.first, other, .unseen)
        let foreign = Self.record(.two, .begun, Self.second)
        expect(.wrong(.foreign(.peer, Self.second, own: Self.first)), of: Self.first, mine, foreign)
        expect(.wrong(.foreign(.peer, Self.second, own: Self.first)), of: Self.first, .unseen, foreign)
    }
}
