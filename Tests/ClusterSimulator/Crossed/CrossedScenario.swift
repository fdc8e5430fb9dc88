import Cluster

/// What may happen to two hosts in a run, and how often; drawn from the seed, or set for a variant.
struct CrossedScenario: TwoHostScenario {
    /// How long things go wrong, in seconds.
    var seconds = 60
    /// Whether clocks run within 10 % of each other.
    var hasGoodClocks = true
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
    /// Cut off from the witness.
    var witnessCut = 10
    /// Cut off from the other host.
    var linkCut = 15
    /// Cut off from the other host's store alone.
    var storeCut = 10
    /// Stores that answer, and take nothing.
    var readOnly = 5
    /// Of the hosts that come back, those whose store is older, in thousandths.
    var rollback = 0
    /// Whether an older store may still hold the head of the lease.
    var isRollbackRecent = false
    /// The chances that a whole copy fails, and that nothing is told of a capture, in thousandths.
    var copyFailure = 0
    var captureFailure = 0
    /// The chance of an operator's rash word that a loss is accepted, in thousandths.
    var lossWord = 0
    /// What does not come back when all else is well again.
    var gone: Gone?
    var command = 5
    var snapshot = 100
    var retention = 200
    /// The longest absences, cuts and sleeps, in milliseconds.
    var longestAbsence = 15_000
    var longestCut = 20_000
    var longestFreeze = 20_000
    /// The mean time between commits, in milliseconds.
    var commitPause = 700
    var longestExamination = 80
    var isFailsafe = true
    var crashAtAction = 0
    /// The chance that a process ends soon after it has won the lease, in thousandths.
    var crashOnClaim = 0

    init(from random: inout SimulationRandom) {
        hasGoodClocks = random.chance(600)
        (lostRequest, lostAnswer) = ([0, 5, 20, 60][random.below(4)], [0, 5, 20, 60][random.below(4)])
        late = [0, 10, 40][random.below(3)]
        conflict = [0, 5, 20][random.below(3)]
        crash = [0, 10, 40][random.below(3)]
        hostDown = [0, 10, 30][random.below(3)]
        freeze = [0, 5, 20][random.below(3)]
        witnessCut = [0, 10, 30][random.below(3)]
        linkCut = [0, 15, 40][random.below(3)]
        storeCut = [0, 10, 40][random.below(3)]
        readOnly = [0, 5, 20][random.below(3)]
        switch random.below(10) {
        case 0, 1, 2: rollback = 500
        case 3, 4: powerLoss = [10, 30][random.below(2)]
        case 5: (rollback, powerLoss) = (500, [10, 30][random.below(2)])
        default: break
        }
        isRollbackRecent = rollback > 0 && random.chance(300)
        (copyFailure, captureFailure) = random.chance(200) ? (300, 300) : (0, 0)
        lossWord = random.chance(100) ? 20 : 0
        gone = random.chance(200) ? [.process, .host][random.below(2)] : nil
        command = [0, 5, 30][random.below(3)]
        longestAbsence = [1_000, 15_000][random.below(2)]
        longestExamination = [80, 3_000][random.below(2)]
        isFailsafe = random.chance(700)
        crashAtAction = [0, 100, 400][random.below(3)]
        crashOnClaim = random.chance(200) ? 300 : 0
    }

    /// Has stores go back, power cuts and rash words in most runs: what a defect takes that plain runs meet once in hundreds of
    /// thousands.
    mutating func harden(_ random: inout SimulationRandom) {
        rollback = [0, 500, 500, 900][random.below(4)]
        powerLoss = [0, 10, 30, 60][random.below(4)]
        isRollbackRecent = rollback > 0 && random.chance(500)
        lossWord = random.chance(500) ? 20 : 0
        crashOnClaim = [0, 300, 600][random.below(3)]
        (copyFailure, captureFailure) = random.chance(300) ? (300, 300) : (0, 0)
    }

    /// Makes likely what brings out that a rule is missing.
    mutating func bringOut(_ rule: ProtocolRule) {
        switch rule {
        case .noHead: (rollback, hostDown, powerLoss) = (900, 40, 0)
        case .copyIsFence: (rollback, late, lostRequest, latest, crash) = (500, 150, 60, 15_000, 60)
        case .noSeal: zombies()
        case .notEligible, .staysEligible, .widenEarly: (hostDown, linkCut, storeCut, longestCut) = (30, 40, 60, 25_000)
        case .authorByLease: (crashOnClaim, crash, storeCut) = (600, 40, 30)
        case .uncheckedStore: (rollback, hostDown, powerLoss) = (900, 40, 0)
        case .aloneUnproven, .neverStop:
            (hasGoodClocks, witnessCut, linkCut, longestCut, commitPause) = (true, 80, 120, 25_000, 300)
            (crash, hostDown, powerLoss, rollback, freeze, lossWord, crashAtAction) = (0, 0, 0, 0, 0, 0, 0)
        case .openUnwitnessed: (witnessCut, lostAnswer, crash) = (60, 60, 40)
        case .forgetCopy: (rollback, late, lostRequest, latest, crash, hostDown) = (500, 150, 60, 15_000, 60, 30)
        case .forgetDebt: (rollback, powerLoss, storeCut, linkCut, hostDown) = (0, 60, 40, 40, 30)
        default: break
        }
    }

    /// A primary that sees nothing of the witness goes on shipping what has piled up, while its peer takes over.
    private mutating func zombies() {
        (witnessCut, longestCut, isFailsafe, commitPause, pulse) = (60, 20_000, false, 150, 500)
        (lostRequest, lostAnswer, late, conflict) = (250, 5, 5, 0)
        (crash, hostDown, powerLoss, rollback, freeze, linkCut, storeCut, readOnly) = (0, 0, 0, 0, 0, 0, 0, 0)
        (command, crashAtAction, crashOnClaim) = (0, 0, 0)
    }
}
