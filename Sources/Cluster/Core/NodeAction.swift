/// What a node is to do next. Actions are carried out in their order; those without a ticket are done before the next
/// one begins.
public enum NodeAction: Hashable, Sendable {
    // MARK: The lease

    /// Read the lease.
    case readLease(Ticket)
    /// Put this body in the place of that version; `nil`: where there is none.
    case swapLease(Ticket, Lease, condition: LeaseVersion?)
    /// Without any condition; only a rule left out asks for it.
    case overwriteLease(Ticket, Lease)
    /// Delete the lease; only a rule left out asks for it.
    case deleteLease(Ticket)
    /// Read the cell in that store (``StoreTopology/paired``). The answer is ``NodeEvent/cellRead(_:_:_:)``.
    case readCell(Ticket, ChainSite)
    /// Put this body in the place of that version of that store's cell. The answer is ``NodeEvent/cellSwapped(_:_:_:)``.
    case swapCell(Ticket, ChainSite, Lease, condition: LeaseVersion)

    // MARK: The chain and the database

    /// From here on this store is read, sealed and shipped to.
    case useChain(ChainSite)
    /// Look at the end of that store, and whether a restore from it leads to this place. Without a witness also at what its
    /// newest level-0 file says of itself.
    case survey(Ticket, ChainPoint)
    /// Close all pages, as they are committed, as one transaction file with this number or a higher one.
    case createCopy(Ticket, Epoch, from: UInt64)
    /// Put the whole copy, which the store has accepted, beside the chain as a snapshot.
    case publishCopy(Ticket, FileMark)
    /// Close all that is committed.
    case captureAll(Ticket)
    /// Look at the database and its records, with the write lock held.
    case examine(Ticket)
    /// Fetch and check the level-0 file of a transaction.
    case fetch(Ticket, UInt64)
    /// Fetch and check a file of a higher level that holds this transaction and begins at or before it.
    case fetchMerged(Ticket, UInt64)
    /// Apply what was fetched last, as one commit, to the database that stands at `from`.
    ///
    /// The place is written down before as the intended one, and afterwards as the recorded one.
    case apply(Ticket, FileMark, from: ChainPoint)
    /// Note that the database stands at this place of the chain; nothing is written to it.
    case notePosition(ChainPoint)
    /// Prove the database's checksum.
    case verify(Ticket)
    /// Create the seal: page 1 as of `at`, as the file of the transaction behind it.
    case createSeal(Ticket, epoch: Epoch, at: ChainPoint)
    /// Without a witness: create the seal with all pages of the locked database, behind `at`, and put the same pages beside
    /// the chain as a snapshot. The answer is ``NodeEvent/created(_:_:)``, with success once both are there.
    case createWholeSeal(Ticket, epoch: Epoch, at: ChainPoint)
    /// Create the record of the epoch.
    case createRecord(Ticket, EpochRecord)
    /// Create the object of a closed transaction file.
    case upload(Ticket, FileMark)
    /// The store has it: answer who waited for it.
    case accepted(ChainPoint)
    /// Keep what only this database holds aside, the write lock held.
    case quarantine(Ticket, fork: ChainPoint?)
    /// Put the database back on the chain's newest state, the write lock held.
    case rewind(Ticket)

    // MARK: The application

    /// Open for writing in this epoch behind the seal. What the database holds beyond the seal is to be captured.
    ///
    /// Without a witness the place may be an earlier one, where the seal lies in a store that the database is ahead of: the
    /// database's last place on a chain.
    case open(Epoch, seal: ChainPoint)
    /// The gate was moved: until when it is open; `nil`: it is closed.
    case gate(WriteGate)
    /// Take SQLite's write lock and keep it.
    case lockDatabase
    /// Give SQLite's write lock back.
    case unlockDatabase
    /// Let no transaction begin, wait for the open ones, capture everything.
    case endWrites(Ticket, within: Duration)
    /// Refuse all writes, take the write lock, stop programs: this session is over.
    case fence(String)

    // MARK: This host, other nodes and people

    /// Make this durable.
    case remember(NodeMemory)
    /// Write this node's record, with a stamp that it never had before; nobody waits for it.
    case writeNodeRecord(stamp: UInt64)
    /// Read the records of all nodes: their stamps.
    case readNodeRecords(Ticket)
    /// Ask these nodes for a promise.
    case askPromises(Ticket, [NodeID], PromiseRequest)
    /// Answer another node's request.
    case answerPromise(PromiseRequest, granted: Bool)
    /// Tell the other nodes that the lease is worth a look.
    case sendHints
    /// The role has changed.
    case roleChanged(Role)
    /// Say this to people.
    case alarm(String)
    /// Nothing more is to be done: end the process.
    case end
}
