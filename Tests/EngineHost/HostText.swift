import LTX
import Replication

/// Events and status as lines.
enum HostText {
    static func line(for event: CaptureEvent) -> String {
        switch event {
        case .continued(let proof, let position): "continued \(proof) \(position)"
        case .copyBegan(let kind, let cause, let isUnexpected):
            "copy-began \(kind.rawValue) unexpected=\(isUnexpected ? 1 : 0) \(cause)"
        case .copyEnded(let kind, let transaction, let pages):
            "copy-ended \(kind.rawValue) transaction=\(transaction ?? 0) pages=\(pages)"
        case .closed(let transaction, let byteCount): "closed \(transaction) \(byteCount)"
        case .rotated(let hold): "rotated \(hold)"
        case .rotationPostponed(let frames, let hold): "rotation-postponed \(frames) \(hold)"
        case .logIsLong(let frames): "log-is-long \(frames)"
        case .fileReplaced: "file-replaced"
        case .failed(let text): "failed \(text)"
        case .stopped(let text): "stopped \(text)"
        case .recovered: "recovered"
        case .spoolFull: "spool-full"
        case .switchedToWAL: "switched-to-wal"
        case .sqliteVersionWarning(let version): "sqlite-version \(version)"
        }
    }

    static func line(for status: CaptureEngine.Status) -> String {
        let counters = status.counters
        return """
            status phase=\(status.phase) transaction=\(status.transaction?.rawValue ?? 0) \
            unexpected=\(counters.unexpectedCopies) whole=\(counters.wholeCopies) differences=\(counters.differences) \
            rotations=\(counters.rotations) ungated=\(counters.rotationsWithoutGate) restarts=\(counters.restarts) \
            fences=\(counters.fencesBusy) captures=\(counters.captures) hold_us=\(microseconds(counters.longestHold))
            """
    }

    private static func microseconds(_ duration: Duration) -> Int64 {
        duration.components.seconds * 1_000_000 + duration.components.attoseconds / 1_000_000_000_000
    }
}
