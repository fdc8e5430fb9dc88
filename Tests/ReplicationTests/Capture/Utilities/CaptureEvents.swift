import Replication
import Synchronization

/// What an engine told, for assertions and messages.
final class CaptureEvents: Sendable {
    private struct State {
        var events: [CaptureEvent] = []
        var waiting: [@Sendable () -> Void] = []
    }

    private let state = Mutex(State())

    /// All so far.
    var all: [CaptureEvent] { state.withLock(\.events) }

    /// To be given to the engine.
    var record: @Sendable (CaptureEvent) -> Void {
        { event in self.state.withLock { $0.events.append(event) } }
    }

    /// The copies that began: their kinds and causes.
    var copies: [(kind: CopyKind, cause: Discontinuity.Cause, isUnexpected: Bool)] {
        all.compactMap { event in
            if case .copyBegan(let kind, let cause, let unexpected) = event {
                (kind, cause.cause, unexpected)
            } else {
                nil
            }
        }
    }

    /// Causes of copies that began although the engine was attached.
    var unexpected: [String] {
        all.compactMap { event in
            if case .copyBegan(_, let cause, true) = event { cause.description } else { nil }
        }
    }

    /// What failed.
    var failures: [String] {
        all.compactMap { event in
            switch event {
            case .failed(let text), .stopped(let text): text
            default: nil
            }
        }
    }

    /// How continuity was proven at attaches.
    var proofs: [String] {
        all.compactMap { event in if case .continued(let proof, _) = event { proof } else { nil } }
    }
}
