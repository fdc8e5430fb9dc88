import Cluster

/// What may happen to two hosts without a witness in a run, and how often; drawn from the seed, or set for a variant.
struct PairedScenario: TwoHostScenario {
    /// What operators say.
    enum Operators { case silent, right, any }

    var seconds = 60
    /// Nothing without a witness goes by time.
    let hasGoodClocks = false
    let isFailsafe = false
    let rollback = 0
    let isRollbackRecent = false
    let gone: Gone? = nil
    var operators = Operators.right
    /// Chances of a request, in thousandths.
    var lostRequest = 10
    var lostAnswer = 10
    var late = 10
    /// The longest delay of a late one after its sender gave up, in milliseconds.
    var latest = 40_000
    var conflict = 5
    /// How often the chances below are drawn, in milliseconds.
    var pulse = 1000
    /// Chances of these for a host at each pulse, in thousandths.
    var crash = 15
    var hostDown = 10
    var powerLoss = 0
    var freeze = 5
    /// The hosts do not see each other.
    var linkCut = 15
    /// Cut off from the other host's store alone.
    var storeCut = 10
    /// Stores that answer, and take nothing.
    var readOnly = 5
    var word = 100
    /// Whether words are spoken only to nodes that have tried to let go since they claimed.
    var isAfterRelease = false
    var command = 20
    var snapshot = 100
    var retention = 200
    /// Whole copies that fail, and captures that take long, in thousandths.
    var copyFailure = 20
    var captureFailure: Int { copyFailure }
    /// The longest absences, cuts and sleeps, in milliseconds.
    var longestAbsence = 15_000
    var longestCut = 20_000
    var longestFreeze = 20_000
    /// The mean time between commits, in milliseconds.
    var commitPause = 700
    var longestExamination = 80
    var crashAtAction = 0
    /// The chance that a process ends soon after it has won a right, in thousandths.
    var crashOnClaim = 0
    /// The chance that the peer's process ends and the hosts lose sight of each other as a node lets go, and that this lands
    /// late, in thousandths.
    var cutAtRelease = 0
    /// Whether one host stays away at first, when all else is well again.
    var isOneGone = false

    init(from random: inout SimulationRandom) {
        operators = [.silent, .right, .right, .any][random.below(4)]
        (lostRequest, lostAnswer) = ([0, 5, 20, 60][random.below(4)], [0, 5, 20, 60][random.below(4)])
        late = [0, 10, 40][random.below(3)]
        conflict = [0, 5, 20][random.below(3)]
        crash = [0, 10, 40][random.below(3)]
        hostDown = [0, 10, 30][random.below(3)]
        freeze = [0, 5, 20][random.below(3)]
        linkCut = [0, 15, 40][random.below(3)]
        storeCut = [0, 10, 40][random.below(3)]
        readOnly = [0, 5, 20][random.below(3)]
        powerLoss = random.chance(300) ? [10, 30][random.below(2)] : 0
        word = [30, 200][random.below(2)]
        command = [0, 20, 60][random.below(3)]
        copyFailure = [0, 20, 200][random.below(3)]
        longestAbsence = [1_000, 15_000][random.below(2)]
        longestExamination = [80, 3_000][random.below(2)]
        crashAtAction = [0, 100, 400][random.below(3)]
        crashOnClaim = random.chance(200) ? 300 : 0
        isOneGone = random.chance(200)
        cutAtRelease = random.chance(150) ? 300 : 0
    }

    /// Has power cuts and wrong words in most runs: what a defect takes that plain runs meet once in hundreds of thousands.
    mutating func harden(_ random: inout SimulationRandom) {
        operators = [.right, .any, .any, .any][random.below(4)]
        powerLoss = [0, 10, 30, 60][random.below(4)]
        crashOnClaim = [0, 300, 600][random.below(3)]
    }

    /// Makes likely what brings out that a rule is missing.
    mutating func bringOut(_ rule: ProtocolRule) {
        (isOneGone, cutAtRelease) = (false, 0)
        switch rule {
        case .staleOwnCell, .movedClaimable, .resumeUnread:
            (operators, command, linkCut, crash, powerLoss) = (.silent, 100, 60, 40, 0)
        case .openBeforeSwap, .movedFirst, .shipEarly, .releaseUnshipped:
            (operators, command, powerLoss) = (.any, 100, 0)
        case .copyIsFence, .copyBeside:
            (operators, command, late, lostAnswer, crash, powerLoss) = (.any, 60, 150, 60, 60, 0)
        case .noSeal: (operators, word, commitPause, crash, hostDown, powerLoss) = (.any, 300, 100, 0, 0, 0)
        case .trustHeld:
            (operators, word, command, linkCut, crashOnClaim, powerLoss) = (.right, 400, 100, 150, 900, 0)
        case .releaseUnrecorded:
            // A release lands long after it was sent, while the hosts do not see each other.
            (operators, word, isAfterRelease, command, linkCut, crash) = (.right, 1000, true, 200, 5, 5)
            (late, lostAnswer, lostRequest, storeCut, readOnly) = (0, 0, 0, 0, 0)
            (hostDown, freeze, powerLoss, copyFailure, longestAbsence) = (0, 0, 0, 0, 25_000)
            (cutAtRelease, longestCut) = (500, 40_000)
        case .rewindUnsettled:
            (operators, word, copyFailure, crash, powerLoss) = (.any, 300, 700, 60, 0)
        case .skipOwnStore:
            (operators, word, linkCut, crash, longestExamination, powerLoss) = (.any, 500, 60, 60, 3_000, 0)
        case .sealStale:
            (operators, command, copyFailure, crash, crashOnClaim, powerLoss) = (.silent, 100, 500, 60, 300, 0)
        case .noTieBreak: (operators, word, linkCut, crash) = (.any, 500, 100, 40)
        case .revert: (operators, powerLoss, crash) = (.silent, 60, 0)
        default: break
        }
    }
}
