import Cluster

extension SharedScenario {
    /// Has power cuts, deaths at the worst moment and commits past the gate in most runs.
    mutating func harden(_ random: inout SimulationRandom) {
        powerLoss = [0, 10, 40][random.below(3)]
        (crashOnClaim, crashOnPromise) = ([0, 200, 600][random.below(3)], [0, 200, 600][random.below(3)])
        bypass = [0, 20, 60][random.below(3)]
        lostClaimAnswer = random.chance(500) ? 300 : 0
    }

    /// Makes likely what brings out that a rule is missing; plain random runs meet some of it too rarely.
    mutating func bringOut(_ rule: ProtocolRule, _ random: inout SimulationRandom) {
        switch rule {
        case .fromReceipt: slowAnswers()
        case .byNode: lateOwnFiles()
        case .deleteUnlicensed, .firstAbsent, .collectSeals, .collectContested: busyRetention()
        case .listOnly: zombies()
        case .forgetEpoch: sleepingCandidates()
        case .promiseWhileClaiming: leaseAway(crash: 0)
        case .promiseAmnesia: leaseAway(crash: 150)
        case .promiseOwnSession: sleepingHolder(crashOnPromise: 0)
        case .promiseForgotten: sleepingHolder(crashOnPromise: 900)
        case .tailUnlocked, .dropTail: bypass = 200
        default: break
        }
    }

    /// Renewals land and their answers are lost, then the holder sees nothing of the lease for some seconds.
    private mutating func slowAnswers() {
        quiet()
        (nodeCount, hasGoodClocks, isFailsafe, isOneSided) = (2, true, false, true)
        (lostRequest, lostAnswer, leaseCut, longestCut, commitPause) = (300, 300, 150, 6_000, 50)
    }

    /// Processes die with uploads under way, and come back at once.
    private mutating func lateOwnFiles() {
        quiet()
        nodeCount = 2
        (late, latest, crash, longestAbsence, commitPause) = (200, 2_000, 150, 300, 200)
    }

    /// Files are merged and deleted as soon as may be, while standbys lag behind.
    private mutating func busyRetention() {
        quiet()
        (merge, retention, pulse, commitPause) = (600, 900, 400, 200)
        (freeze, cut, crash, longestCut, late, latest) = (30, 60, 15, 8_000, 60, 20_000)
    }

    /// A primary that sees nothing of the lease goes on shipping what has piled up, merging and deleting, while the seal of
    /// its successor is lost on its way.
    private mutating func zombies() {
        quiet()
        (nodeCount, commitPause, pulse, merge, retention) = (2, 100, 100, 950, 950)
        (leaseCut, longestCut, lostRequest, isFailsafe, crash) = (10, 20_000, 150, false, 0)
    }

    /// Candidates that lag behind fall asleep right after they have won.
    private mutating func sleepingCandidates() {
        busyRetention()
        (nodeCount, isOneSided, stalledClaim, seconds, commitPause) = (3, true, 900, 80, 800)
        (chainCut, longestCut, cut, crash, longestAbsence) = (40, 10_000, 0, 40, 15_000)
    }

    /// The holder does not reach the lease, nor now and then the others, who do.
    private mutating func leaseAway(crash: Int) {
        quiet()
        (nodeCount, hasGoodClocks, isFailsafe, isOneSided, commitPause) = (2, true, true, true, 50)
        (leaseCut, cut, longestCut, lostClaimAnswer) = (100, 100, 12_000, 500)
        (self.crash, longestAbsence, pulse) = (crash, 300, 250)
    }

    /// The holder sleeps and wakes without a way to the lease; who took over died before knowing it.
    private mutating func sleepingHolder(crashOnPromise: Int) {
        quiet()
        // A run has a hundred commits: they must last until somebody is wrong.
        (nodeCount, hasGoodClocks, isFailsafe, isOneSided, commitPause) = (2, true, true, true, 350)
        (ambush, pulse, crash, longestAbsence) = (150, 250, 0, 300)
        (lostClaimAnswer, crashOnClaim) = (900, 950)
        (longestExamination, self.crashOnPromise) = (1_500, crashOnPromise)
    }

    private mutating func quiet() {
        (lostRequest, lostAnswer, late, conflict) = (5, 5, 5, 0)
        (crash, powerLoss, freeze, storeOutage, cut, leaseCut, chainCut) = (5, 0, 0, 0, 0, 0, 0)
        (command, bypass, merge, retention, stalledClaim, lostClaimAnswer) = (0, 0, 0, 0, 0, 0)
        (longestTransaction, crashAtAction, holdDownLimit) = (100, 0, nil)
        (crashOnClaim, crashOnPromise, longestExamination, ambush) = (0, 0, 80, 0)
    }
}
