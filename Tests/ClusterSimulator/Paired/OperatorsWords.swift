import Cluster

/// What operators have said, and whether it was right: the simulation knows what they cannot see.
struct OperatorsWords {
    /// Whether any word was spoken, and whether one was wrong.
    private(set) var isSpoken = false
    private(set) var isWrong = false
    /// A node that was given a word and has not claimed yet, and one that claimed by a blind word which its peer has not seen.
    private var waiting: Int?
    private var blind: (node: Int, since: EpochStamp?)?
    /// Who has tried to let go since it claimed.
    var hasLetGo: Set<Int> = []

    /// Notes a word.
    mutating func speak(_ word: PairWord, to node: Int, isRight: Bool) {
        (isSpoken, isWrong) = (true, isWrong || !isRight)
        waiting = node
        if word == .blind { blind = (node, nil) }
    }

    /// The node has claimed.
    mutating func claimed(_ node: Int, _ stamp: EpochStamp) {
        if waiting == node { waiting = nil }
        hasLetGo.remove(node)
        if blind?.node == node, blind?.since == nil { blind?.since = stamp }
    }

    /// That process runs: whoever was told that it is stopped, and has not claimed yet, was told wrong.
    mutating func runs(_ node: Int) { if let waiting, waiting != node { isWrong = true } }

    /// Whether a blind word is out which the other host's store does not show yet: it was promised to stay off until then.
    func isUnseen(_ cells: [SimulatedCell]) -> Bool {
        guard let blind else { return false }
        return blind.since.map { cells[1 - blind.node].lease.stamp < $0 } ?? true
    }
}

extension PairedSimulation {
    /// Whether an operator who knows everything would say it.
    func isRight(_ word: PairWord, _ index: Int) -> Bool {
        let other = 1 - index
        guard world.nodes[other].process == nil, !words.isUnseen(cells) else { return false }
        guard word == .blind else { return true }
        let there = cells[other].lease
        return there.state == .moved || !words.isSpoken && there.node == world.nodes[index].id && there.state == .held
    }

    /// An operator says what the node asks for, right or wrong.
    mutating func speak(_ index: Int) {
        guard let core = world.nodes[index].core, world.nodes[index].frozenUntil <= world.time,
            case .asks(let word) = core.promotion
        else { return }
        guard words.hasLetGo.contains(index) || !scenario.isAfterRelease else { return }
        let isRight = isRight(word, index)
        guard isRight || scenario.operators == .any else { return }
        world.say("an operator says the \(word) word to node \(index + 1), \(isRight ? "right" : "wrong")")
        words.speak(word, to: index, isRight: isRight)
        tell(index, .command(.promotePeerIsDown(Set(word.questions))))
    }
}
