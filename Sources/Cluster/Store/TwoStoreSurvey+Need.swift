extension TwoStoreSurvey {
    /// What an operator has to do so that somebody writes, or may have to, where there is no witness (failover-review W10).
    ///
    /// The stores do not tell whether a node runs: nobody renews anything there.
    ///
    /// - Parameters:
    ///   - node: The node of this host; `nil` where none has been started here.
    ///   - isHolderUp: Whether the node that has the right writes, or is about to; `nil` where nobody knows.
    /// - Returns: `nil` where nothing is to be done, or ``advice`` says what.
    public func need(of node: NodeID?, isHolderUp: Bool?) -> PairNeed? {
        guard let right, advice == nil, isHolderUp != true else { return nil }
        let command = "sqlite-replicate promote -peer-is-down"
        guard let body = right.body else {
            return PairNeed(
                "The right to write lies in the peer's store, which does not answer; this host's node wrote last, and goes on by "
                    + "itself once it does. Where that store is gone for good:",
                command: command
            )
        }
        guard body.node != node, !body.isReleased(to: node ?? NodeID(rawValue: 0)) else {
            guard isHolderUp == false else { return nil }
            return PairNeed(
                "Nobody writes: the right is this host's node's, which does not answer. Start it:",
                command: "sqlite-replicate service"
            )
        }
        guard isHolderUp == false || peer.trouble != nil else { return nil }
        return PairNeed(
            "\(body.name) has the right to write and does not answer: nobody takes over before somebody says that it is down. "
                + "Where it is, on this host:",
            command: command
        )
    }

    /// The node that has the right, and where it answers; `nil` where there is a witness, or nothing is known of it.
    public var holder: (node: NodeID, url: String)? {
        guard right != nil, case .body(let lease) = survey.lease else { return nil }
        return (lease.node, lease.url)
    }
}
