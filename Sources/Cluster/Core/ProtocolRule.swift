/// Rules of the protocol that tests leave out one at a time, to see that the simulator notices: under the names of the model
/// (`design/experiments/failover/model.py list`), and under names of ours where the model does not know the rule.
package enum ProtocolRule: String, Hashable, Sendable, CaseIterable {
    case noSeal = "no-seal"
    case blindRenew = "blind-renew"
    case fromReceipt = "from-receipt"
    case roleBeforeLock = "role-before-lock"
    case deleteLease = "delete-lease"
    case collectSeals = "collect-seals"
    case unverified
    case unknownIsSuccess = "unknown-is-success"
    case unknownIsFailure = "unknown-is-failure"
    case nonce
    case wallClock = "wall-clock"
    case firstAbsent = "first-404"
    case queue
    case reencode
    case byNode = "by-node"
    case deleteUnlicensed = "delete-unlicensed"
    case listOnly = "list-only"
    case collectContested = "collect-contested"
    case forgetEpoch = "forget-epoch"
    case chase
    case compactUnshipped = "compact-unshipped"
    case snapshotLive = "snapshot-live"
    case revert
    case blindApply = "blind-apply"
    case dropTail = "drop-tail"
    case tailUnlocked = "tail-unlocked"
    case promiseWhileClaiming = "promise-while-claiming"
    case promisePartial = "promise-partial"
    case promiseForgotten = "promise-forgotten"
    case promiseOwnSession = "promise-own-session"
    case promiseAmnesia = "promise-amnesia"

    // Two hosts, a store each.
    case notEligible = "not-eligible"
    case staysEligible = "stays-eligible"
    case widenEarly = "widen-early"
    case noHead = "no-head"
    case authorByLease = "author-by-lease"
    case copyIsFence = "copy-is-fence"

    // The same, under names of ours.
    case uncheckedStore = "unchecked-store"
    case aloneUnproven = "alone-unproven"
    case neverStop = "never-stop"
    case openUnwitnessed = "open-unwitnessed"
    case forgetCopy = "forget-copy"
    case forgetDebt = "forget-debt"

    // Two hosts without a witness.
    case staleOwnCell = "stale-own-cell"
    case openBeforeSwap = "open-before-swap"
    case movedFirst = "moved-first"
    case movedClaimable = "moved-claimable"
    case shipEarly = "ship-early"
    case resumeUnread = "resume-unread"
    case copyBeside = "copy-beside"
    case trustHeld = "trust-held"
    case releaseUnrecorded = "release-unrecorded"
    case rewindUnsettled = "rewind-unsettled"
    case skipOwnStore = "skip-own-store"
    case sealStale = "seal-stale"
    case releaseUnshipped = "release-unshipped"
    case noTieBreak = "no-tie-break"

    /// The rules of one store for all (the model Log).
    package static let shared = allCases.filter {
        ![crossed, paired, ours].joined().contains($0) || common.contains($0)
    }
    /// The rules of a store on each host, with a witness (the model Duo).
    package static let crossed: [ProtocolRule] = [
        .noSeal, .notEligible, .staysEligible, .widenEarly, .noHead, .authorByLease, .copyIsFence,
    ]
    /// The rules of the same that the model does not know: of G4 to G6, and of what a node remembers.
    package static let ours: [ProtocolRule] = [
        .uncheckedStore, .aloneUnproven, .neverStop, .openUnwitnessed, .forgetCopy, .forgetDebt,
    ]
    /// The rules of a store on each host, without a witness (the model Pair).
    package static let paired: [ProtocolRule] = [
        .staleOwnCell, .openBeforeSwap, .movedFirst, .movedClaimable, .shipEarly, .resumeUnread, .copyIsFence,
        .copyBeside,
        .noSeal, .trustHeld, .releaseUnrecorded, .rewindUnsettled, .skipOwnStore, .sealStale, .releaseUnshipped,
        .noTieBreak, .revert,
    ]
    /// The rules of one store that others share.
    private static let common: [ProtocolRule] = [.noSeal, .revert]
}
