import Logging
import ObjectStorage
import Replication

extension NodeDriver {
    /// Keeps what only this database holds aside.
    func quarantine(_ ticket: Ticket, _ fork: ChainPoint?) async {
        inbox.post(.quarantined(ticket))
    }
}
