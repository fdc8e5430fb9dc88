/// A seal with all pages in this host's store, and the database it was made of (failover-review W4 b, W5).
///
/// Unlike any other seal of a store's owner it says what the owner's database held. Until that session opens no place on
/// record tells of it: if it dies before, and a power cut takes something from the database, only the store has that.
extension NodeCore {
    /// Notes which number such a seal is to get: durable before it is sent, as its answer may be lost with the process.
    mutating func noteOwnPages(at number: UInt64) {
        guard memory.pagesAt != number else { return }
        memory.pagesAt = number
        actions.append(.remember(memory))
    }

    /// The database is about to be changed by something else than a power cut, or the place of such a seal is on record.
    mutating func forgetOwnPages() {
        guard memory.pagesAt > 0 else { return }
        memory.pagesAt = 0
        actions.append(.remember(memory))
    }

    /// What this host's store ends with, if that is such a seal of the database as it is now, but for a power cut.
    ///
    /// What lies behind it would be a file of the peer's, or a seal by this node, which has met it as a claimant then.
    var ownPages: FileMark? {
        guard memory.pagesAt > 0, let end = pair.reading.surveys[.own]?.end, end.node == settings.node,
            end.point.number == memory.pagesAt
        else { return nil }
        return end
    }

    /// Stands where such a seal leads: as it is, or put back on it after a power cut.
    mutating func standAtOwnPages(_ seal: FileMark) {
        let tip = ahead.last?.point.checksum ?? position.checksum
        // The place at the end of the peer's store counts no more once it goes back.
        guard tip == seal.point.checksum else {
            pair.reading.followed = []
            return begin(.rewind) { .rewind($0) }
        }
        guard pair.reading.followed.isEmpty else { return storeRead(isFollowed: false) }
        (position, positionEpoch, ahead, pair.strayedFrom) = (seal.point, seal.epoch, [], nil)
        actions.append(.notePosition(position))
        storeRead(isFollowed: true)
    }
}
