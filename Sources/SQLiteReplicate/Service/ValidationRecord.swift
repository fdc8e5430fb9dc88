import LTX
import ObjectStorage
import Synchronization
import SystemPackage

/// A restore that was proven equal to what was captured.
struct RestoreProof: Hashable, Sendable {
    /// When it ended.
    var time: Timestamp
    /// The transaction to which it led.
    var transaction: TransactionID
}

/// What the validations of a database have found since the process began.
final class ValidationRecord: Sendable {
    private struct State {
        var proof: RestoreProof?
        var failure: String?
    }

    /// The database.
    let database: FilePath
    private let state = Mutex(State())

    init(_ database: FilePath) { self.database = database }

    /// The last restore that was proven equal; `nil` before the first one.
    var proof: RestoreProof? { state.withLock(\.proof) }

    /// Why the last validation has failed; `nil` where it did not.
    var failure: String? { state.withLock(\.failure) }

    /// A restore was proven equal.
    func note(_ proof: RestoreProof) { state.withLock { $0 = State(proof: proof) } }

    /// A validation has failed; what was proven before stays.
    func note(failure: String) { state.withLock { $0.failure = failure } }
}
