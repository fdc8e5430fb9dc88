import LTX
import ObjectStorage
import Replication

/// What two stores and the witness tell of a cluster, as it was read at one time; whatever does not answer is left out.
public struct TwoStoreSurvey: Sendable {
    /// One of the stores.
    public struct Store: Hashable, Sendable {
        /// The place, for people.
        public var name: String
        /// Whose it is; `nil` where it does not say so.
        public var record: StoreRecord?
        /// The highest transaction that lies there, at any level; 0: none; `nil` where it does not answer.
        public var end: UInt64?
        /// What is wrong with it; `nil` where nothing is.
        public var trouble: String?
        /// What of the history it holds.
        public var standing = StoreStanding.unknown
    }

    /// The store on this host.
    public let own: Store
    /// The store on the other host.
    public let peer: Store
    /// Where the lease lies, for people.
    public let witness: String
    /// Why the lease could not be read; `nil` where it was, or there is none. Without a witness: the cell in the own store.
    public let witnessTrouble: String?
    /// The cluster, so far as anything here tells.
    public let cluster: ClusterID?
    /// The lease of the witness, and the records of both stores together. Without a witness: the body of the cell that has
    /// the right to write.
    public let survey: ClusterSurvey
    /// What an operator has to do, in a sentence or two; `nil` where nothing is, so far as the stores tell.
    public let advice: String?
    /// Where the right to write lies without a witness; `nil` where there is one, or nothing is known of it.
    public let right: PairRight?

    /// Where a lease is that one node alone may claim it is watched so long, whether anybody renews it; at most.
    private static let longestWatch = Duration.seconds(5)

    /// Reads all of it.
    ///
    /// - Parameters:
    ///   - places: The stores and the witness.
    ///   - node: The node of this host; `nil` where none has been started here.
    ///   - known: The cluster that it has taken part in, if any.
    package init(of places: TwoStoreFounding, node: NodeID?, cluster known: ClusterID?) async {
        async let myRecord = Self.record(places, .own)
        async let otherRecord = Self.record(places, .peer)
        let records = await (own: myRecord, peer: otherRecord)
        let cluster = known ?? records.own.store.record?.cluster ?? records.peer.store.record?.cluster
        let cell = cluster.map { LeaseStore(places.witness.cell(of: $0)) }
        // Before the stores, which go on meanwhile: what the lease says of them they hold still.
        let (finding, trouble) = await Self.lease(in: cell)
        let cells = places.witness as? PairedCells
        let peerCell = cluster == nil ? nil : cells.map { LeaseStore($0.cell(in: .peer)) }
        let peerFinding = await Self.lease(in: peerCell).finding
        async let mine = Self.read(places, .own, records.own)
        async let others = Self.read(places, .peer, records.peer)
        var (own, peer) = await (mine, others)
        (witness, witnessTrouble, self.cluster) = ("\(places.witness)", trouble, cluster)
        var (shown, right) = (finding, PairRight?.none)
        if case .body(let lease) = finding, let cluster {
            let hosts = (own.store.record?.host, peer.store.record?.host)
            if cells != nil {
                let found = Self.right(lease, peerFinding, own.end, node)
                let body = found.body ?? lease
                let isShippedTo = (found.site == .own && found.body != nil, found.site == .peer || found.body == nil)
                own.store.standing = StoreStanding(own.store.end, host: hosts.0, body, hasRight: isShippedTo.0)
                peer.store.standing = StoreStanding(peer.store.end, host: hosts.1, body, hasRight: isShippedTo.1)
                (shown, right) = (.body(body), found)
                advice =
                    Self.advice(places, node, known, own, peer) ?? Self.lost(places, peerFinding, own, peer)
            } else {
                own.store.standing = StoreStanding(own.store.end, host: hosts.0, other: hosts.1, lease)
                peer.store.standing = StoreStanding(peer.store.end, host: hosts.1, other: hosts.0, lease)
                let isStalled = await Self.isStalled(lease, cluster, cell)
                advice = Self.advice(places, node, known, own, peer) ?? (isStalled ? Self.lonely(lease) : nil)
            }
        } else if case .unfit(let why) = finding {
            advice = why
        } else if let words = Self.advice(places, node, known, own, peer) {
            advice = words
        } else {
            let hasBegun = [own.store.record, peer.store.record].contains { $0?.state == .begun }
            advice = trouble == nil && hasBegun ? cluster.map { places.lostLease($0).message } : nil
        }
        (self.own, self.peer, self.right) = (own.store, peer.store, right)
        survey = ClusterSurvey(
            lease: shown,
            epochs: Self.merged(own.survey?.epochs, peer.survey?.epochs) { $0.record.stamp }.reversed(),
            nodes: Self.merged(own.survey?.nodes, peer.survey?.nodes) { $0.record.node.rawValue }
                .sorted { ($0.record.name, $0.record.node) < ($1.record.name, $1.record.node) },
            hasTraces: own.survey?.hasTraces ?? false || peer.survey?.hasTraces ?? false,
            problems: (own.survey?.problems ?? []) + (peer.survey?.problems ?? [])
        )
    }

    // MARK: - Reading

    private struct Reading: Sendable {
        var store: Store
        var sight = TwoStoreVerdict.Sight.unseen
        var survey: ClusterSurvey?
        /// Who wrote the newest level-0 file.
        var end: EpochStamp?
    }

    private static func record(_ places: TwoStoreFounding, _ site: ChainSite) async -> Reading {
        let place = places.place(site)
        var reading = Reading(store: Store(name: place.words))
        do throws(NodeCommandError) {
            let found = try await places.read(site).get()
            reading.sight = found.sight
            reading.store.record = found.sight.record
            if let error = found.error { reading.store.trouble = error.message }
        } catch {
            reading.store.trouble = error.message
        }
        return reading
    }

    private static func read(_ places: TwoStoreFounding, _ site: ChainSite, _ reading: Reading) async -> Reading {
        var reading = reading
        guard reading.store.trouble == nil else { return reading }
        let place = places.place(site)
        do {
            let survey = try await ClusterSurvey(of: place.leases, layout: place.layout)
            if survey.lease != .absent, !places.isPaired {
                reading.store.trouble = places.otherCluster(place, place.layout.lease).message
            }
            reading.survey = survey
            let listing = try await place.replica.list()
            reading.store.end = listing.highest?.rawValue ?? 0
            if places.isPaired, let newest = listing[0].last {
                let header = try await place.replica.header(of: newest)
                reading.end = header.sourceMark.map {
                    EpochStamp(epoch: Epoch(rawValue: $0.epoch), node: NodeID(rawValue: header.nodeID))
                }
            }
        } catch let error as ObjectStoreError {
            reading.store.trouble = error.message
        } catch {
            reading.store.trouble = "\(error)"
        }
        return reading
    }

    private static func lease(in cell: LeaseStore?) async -> (finding: ClusterSurvey.LeaseFinding, trouble: String?) {
        guard let cell else { return (.absent, nil) }
        let read = await cell.read()
        switch read.reading {
        case .body(let lease, _): return (.body(lease), nil)
        case .absent: return (.absent, nil)
        case .unfit(let why): return (.unfit(why), nil)
        case .failed: return (.absent, read.error?.message ?? "\(cell.cell) does not answer.")
        }
    }

    /// Where the right lies, as the node of this host sees it.
    private static func right(
        _ own: Lease,
        _ peer: ClusterSurvey.LeaseFinding,
        _ ownEnd: EpochStamp?,
        _ node: NodeID?
    ) -> PairRight {
        var other: Lease?
        if case .body(let lease) = peer { other = lease }
        return PairRight(own: own, peer: other, ownEnd: ownEnd, node: node ?? NodeID(rawValue: 0))
    }

    /// Of both, the newer one of each.
    private static func merged<Record, ID: Hashable & Comparable>(
        _ one: [ClusterSurvey.Dated<Record>]?,
        _ two: [ClusterSurvey.Dated<Record>]?,
        _ id: (ClusterSurvey.Dated<Record>) -> ID
    ) -> [ClusterSurvey.Dated<Record>] {
        var newest: [ID: ClusterSurvey.Dated<Record>] = [:]
        for record in (one ?? []) + (two ?? []) {
            if let there = newest[id(record)], there.written >= record.written { continue }
            newest[id(record)] = record
        }
        return newest.sorted { $0.key < $1.key }.map(\.value)
    }

    // MARK: - What people have to do

    private static func advice(
        _ places: TwoStoreFounding,
        _ node: NodeID?,
        _ cluster: ClusterID?,
        _ own: Reading,
        _ peer: Reading
    ) -> String? {
        // A node that was never started has no stores yet that could be wrong.
        let verdict = TwoStoreVerdict.decide(
            node ?? NodeID(rawValue: 0),
            of: cluster,
            own: own.sight,
            peer: peer.sight
        )
        guard case .wrong(let fault) = verdict else { return nil }
        return places.error(fault).message
    }

    /// A cell in the peer's store that is gone, or is something else, although that store answers.
    private static func lost(
        _ places: TwoStoreFounding,
        _ finding: ClusterSurvey.LeaseFinding,
        _ own: Reading,
        _ peer: Reading
    ) -> String? {
        guard peer.store.trouble == nil else { return nil }
        return switch finding {
        case .body: nil
        case .unfit(let why): why
        case .absent where (peer.store.record ?? own.store.record)?.state == .begun: places.lostCell(.peer).message
        case .absent: nil
        }
    }

    /// Whether a lease that nobody but one node may claim is not renewed, and not claimed.
    private static func isStalled(_ lease: Lease, _ cluster: ClusterID, _ cell: LeaseStore?) async -> Bool {
        let watch = lease.ttl / 2
        guard lease.eligible.count == 1, lease.epoch > .zero, lease.cluster == cluster, watch <= longestWatch, let cell
        else { return false }
        do { try await Pause.sleep(for: watch) } catch { return false }
        return await cell.read().reading.nonce == lease.nonce
    }

    private static func lonely(_ lease: Lease) -> String {
        "Node \(lease.name) alone may write, for the other one lacks what it has committed, and it does not renew its lease: "
            + "start it again. Where it is gone for good: 'promote -accept-loss' on the other host, which loses what only "
            + "\(lease.name) had."
    }
}

extension LeaseReading {
    fileprivate var nonce: Nonce? {
        guard case .body(let lease, _) = self else { return nil }
        return lease.nonce
    }
}
