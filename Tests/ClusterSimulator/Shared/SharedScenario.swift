import Cluster

/// What may happen to nodes that share a store, and how often; drawn from the seed, or set for a variant.
struct SharedScenario: Scenario {
    var nodeCount = 3
    /// How long things go wrong, in seconds.
    var seconds = 40
    /// Whether clocks run within 10 % of each other: then no two nodes may accept writes at one instant.
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
    /// Chances of these at each pulse, in thousandths.
    var crash = 20
    var powerLoss = 0
    var freeze = 10
    var storeOutage = 10
    var cut = 10
    /// Cut off from the lease alone.
    var leaseCut = 5
    /// Cut off from the chain alone.
    var chainCut = 5
    /// Whether cuts and lost requests hit the first node only, and crashes the others.
    var isOneSided = false
    /// The chance that a claim's answer is lost, in thousandths.
    var lostClaimAnswer = 0
    /// The chance that a process ends soon after it has sent a claim, or given a promise, in thousandths.
    var crashOnClaim = 0
    var crashOnPromise = 0
    /// The chance that the first node, while it holds the lease, falls asleep until it may be taken over from, and wakes
    /// without a way to the lease; in thousandths.
    var ambush = 0
    /// The chance that an operator lets the chain begin anew with some node's database, in thousandths.
    var anew = 0
    /// The longest sleep, in milliseconds.
    var longestFreeze = 3_600_000
    /// The longest look at a database, in milliseconds.
    var longestExamination = 80
    /// The longest cut, in milliseconds.
    var longestCut = 20_000
    /// The longest time that a crashed process stays away, in milliseconds.
    var longestAbsence = 15_000
    /// The chance that a node that has just won the lease stands still for some seconds, in thousandths.
    var stalledClaim = 10
    var command = 10
    var bypass = 0
    var merge = 100
    var retention = 200
    /// The mean time between commits, in milliseconds.
    var commitPause = 700
    /// The longest transaction, in milliseconds.
    var longestTransaction = 200
    var isFailsafe = true
    var holdDownLimit: Int?
    /// The chance that a process ends between two of its actions, in hundred thousandths.
    var crashAtAction = 0

    init() {}

    init(from random: inout SimulationRandom) {
        nodeCount = 2 + random.below(3)
        hasGoodClocks = random.chance(600)
        let trouble = [0, 5, 20, 60][random.below(4)]
        (lostRequest, lostAnswer) = (trouble, [0, 5, 20, 60][random.below(4)])
        late = [0, 10, 40][random.below(3)]
        conflict = [0, 5, 20][random.below(3)]
        crash = [0, 10, 40, 100][random.below(4)]
        powerLoss = random.chance(250) ? [10, 40][random.below(2)] : 0
        freeze = [0, 10, 40][random.below(3)]
        storeOutage = [0, 5, 20][random.below(3)]
        cut = [0, 10, 40][random.below(3)]
        leaseCut = [0, 0, 10][random.below(3)]
        chainCut = [0, 0, 10][random.below(3)]
        lostClaimAnswer = random.chance(200) ? 300 : 0
        (crashOnClaim, crashOnPromise) = random.chance(200) ? (200, 200) : (0, 0)
        longestExamination = [80, 3_000][random.below(2)]
        stalledClaim = [0, 50, 200][random.below(3)]
        longestAbsence = [1_000, 15_000][random.below(2)]
        command = [0, 10, 50][random.below(3)]
        bypass = random.chance(200) ? 20 : 0
        merge = [0, 100, 400][random.below(3)]
        retention = [0, 200, 600][random.below(3)]
        longestTransaction = random.chance(300) ? 8_000 : 200
        isFailsafe = random.chance(700)
        holdDownLimit = random.chance(200) ? 3 : nil
        crashAtAction = [0, 100, 400][random.below(3)]
    }
}
