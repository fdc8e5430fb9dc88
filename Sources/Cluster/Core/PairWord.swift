/// An operator's word by which a node takes over from its peer without a witness (`promote --peer-is-down`, failover-review
/// W9): what it rests on, and what has to be asked.
public enum PairWord: Hashable, Sendable {
    /// What the peer has is known: its cell was read, or its files show that it writes by the right in this host's store.
    case clear
    /// The peer may have gone on by a right that cannot be seen from here.
    case blind

    /// What must be answered with yes.
    public var questions: [PairQuestion] { self == .clear ? [.peerIsStopped] : PairQuestion.allCases }

    /// What is said where answers are missing.
    func asking(_ open: [PairQuestion]) -> String {
        let questions = open.map { "\($0.text) (-yes \($0.rawValue))" }.joined(separator: " ")
        return "Answer first, and say it again with the answers: \(questions)" + (warning.map { " \($0)" } ?? "")
    }

    /// What a person must know before the answer; `nil`: nothing more than the questions say.
    public var warning: String? {
        guard self == .blind else { return nil }
        return "After a power cut this database may lack what only the peer's store has: that is given up."
    }
}

/// A question before a word; its raw value names it on a command line.
public enum PairQuestion: String, Hashable, Sendable, CaseIterable {
    /// Is the peer's process stopped?
    case peerIsStopped = "peer-is-stopped"
    /// Is it certain that the peer was not promoted, and that nothing was released to it, since this host saw it last?
    case peerHasNoRight = "peer-has-no-right"
    /// Will the peer stay off until both hosts see each other?
    case peerStaysOff = "peer-stays-off"

    /// The question, to be answered with yes.
    public var text: String {
        switch self {
        case .peerIsStopped: "Is the peer's process stopped?"
        case .peerHasNoRight:
            "Is it certain that nobody has promoted the peer or released to it since this host saw it last?"
        case .peerStaysOff: "Will the peer stay off until both hosts see each other again?"
        }
    }
}

/// What `promote --peer-is-down` meets on a node.
public enum PairAnswer: Hashable, Sendable {
    /// It is carried out once the questions of this word are answered.
    case asks(PairWord)
    /// No word is needed: why.
    case needless(String)
    /// The rules refuse it: why, and what helps.
    case refused(String)
}

/// What a person has to do so that somebody writes again, or may have to (failover-review W10).
public struct PairNeed: Hashable, Sendable {
    /// One sentence: what is so.
    public let sentence: String
    /// What to type on this host, and when it is right; `nil` where nothing that is typed here helps.
    public let command: String?

    /// Takes both.
    public init(_ sentence: String, command: String?) { (self.sentence, self.command) = (sentence, command) }
}
