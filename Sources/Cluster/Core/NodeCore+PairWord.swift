/// What an operator may say, and has to, without a witness (failover-review W9, W10).
extension NodeCore {
    /// What `promote --peer-is-down` meets here, and what it has to ask.
    public var promotion: PairAnswer {
        guard isPaired else { return .refused("This cluster has a witness, or one store: `promote` is enough.") }
        guard role != .halted else { return .refused(haltReason ?? "This node has halted.") }
        guard !role.isHolding else { return .needless("This node has the right to write.") }
        guard pair.own.seen != nil, !pair.own.isAway else {
            return .refused("This host's store does not answer: without its cell nobody is promoted.")
        }
        guard let right else { return .refused("The peer's cell is just being read: say it again in a moment.") }
        guard let word = right.word else { return .needless("This node takes over by itself: `promote` is enough.") }
        guard word == .clear || !memory.isReleasing else { return .refused(Self.releasedBlindly) }
        return .asks(word)
    }

    private static let releasedBlindly =
        "This node has let go, and whether the peer has taken over cannot be seen from here: bring the peer's store back, "
        + "or promote on the peer's host."

    /// Takes an operator's answers, or says what is wrong with them.
    mutating func promotePeerIsDown(_ confirmed: Set<PairQuestion>) {
        // What cannot be seen this very moment may be seen in the next: the word waits for it.
        if isPaired, role != .halted, !role.isHolding, !confirmed.isEmpty, right == nil { return keepWord(confirmed) }
        switch promotion {
        case .refused(let why), .needless(let why): actions.append(.alarm(why))
        case .asks(let word):
            guard confirmed.isSuperset(of: word.questions) else { return refuse(word, confirmed) }
            keepWord(confirmed)
        }
    }

    private mutating func keepWord(_ confirmed: Set<PairQuestion>) {
        memory.isDemoted = false
        actions.append(.remember(memory))
        pair.word = (confirmed, now + settings.wishLimit)
    }

    private mutating func refuse(_ word: PairWord, _ confirmed: Set<PairQuestion>) {
        let open = word.questions.filter { !confirmed.contains($0) }.map(\.text)
        pair.word = nil
        actions.append(.alarm("Not promoted. Without a yes to this it is not safe: \(open.joined(separator: " "))"))
    }

    /// Whether an operator has spoken this word, or the node may speak it itself.
    mutating func isSpoken(_ word: PairWord) -> Bool {
        if settings.isUnsafelyPromoted, pair.isPeerUnhealthy, pair.peer.isAway, word == .clear { return true }
        guard let spoken = pair.word, now < spoken.end else { return false }
        // What is seen may have changed since it was asked for.
        guard spoken.confirmed.isSuperset(of: word.questions) else {
            refuse(word, spoken.confirmed)
            return false
        }
        guard word == .clear || !memory.isReleasing else {
            pair.word = nil
            actions.append(.alarm(Self.releasedBlindly))
            return false
        }
        return true
    }

    /// What a person has to do, or may have to, so that somebody writes; `nil` where nothing is needed.
    public var need: PairNeed? {
        guard isPaired, !role.isHolding, role != .claiming else { return nil }
        if role == .halted { return PairNeed(haltReason ?? "This node has halted.", command: nil) }
        guard pair.own.seen != nil, !pair.own.isAway else {
            return PairNeed("This host's store does not answer, so this node cannot know who may write.", command: nil)
        }
        guard let right, let word = right.word else { return nil }
        let command = "sqlite-replicate promote -peer-is-down"
        if right.body == nil {
            if memory.isReleasing { return PairNeed(Self.releasedBlindly, command: nil) }
            return PairNeed(
                "This node wrote last, and the right to write lies in the peer's store, which does not answer.",
                command: command
            )
        }
        let holder = right.body?.name ?? "the peer"
        guard pair.isPeerUnhealthy || pair.peer.isAway else { return nil }
        if word == .blind, memory.isReleasing { return PairNeed(Self.releasedBlindly, command: nil) }
        return PairNeed(
            "\(holder) has the right to write and does not answer: nobody takes over before you say that it is down.",
            command: command
        )
    }
}
