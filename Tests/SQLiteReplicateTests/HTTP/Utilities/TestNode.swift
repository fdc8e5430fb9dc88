import Cluster

/// A node that stands where a test puts it, and notes what it is asked.
actor TestNode: NodeControl {
    private var present: NodeStatus
    private var fault: String?
    private var names: [String: NodeID] = [:]
    private var obstacle: NodeCommandError?
    private var promises = true
    private(set) var asked: [PromiseRequest] = []
    private(set) var commands: [NodeCommand] = []
    private(set) var hintCount = 0
    private(set) var readCount = 0
    private(set) var statusCount = 0
    /// While set, a read check does not end.
    private var isHanging = false
    private var hanging: [CheckedContinuation<Void, Never>] = []

    init(_ node: UInt64 = 2, role: Role = .standby) {
        present = NodeStatus(node: NodeID(rawValue: node), name: "node \(node)", role: role)
        present.cluster = .sample
        present.epoch = Epoch(rawValue: 3)
    }

    /// Moves the node.
    func set(_ change: @Sendable (inout NodeStatus) -> Void) { change(&present) }

    /// What a read of the database says from now on.
    func setReadFault(_ fault: String?) { self.fault = fault }

    /// What a command meets from now on.
    func setObstacle(_ obstacle: NodeCommandError?) { self.obstacle = obstacle }

    /// Whether it promises.
    func setPromises(_ promises: Bool) { self.promises = promises }

    /// Gives another node a name.
    func setName(_ name: String, _ node: UInt64) { names[name] = NodeID(rawValue: node) }

    /// Lets read checks hang, or end.
    func setHanging(_ isHanging: Bool) {
        self.isHanging = isHanging
        if !isHanging {
            for continuation in hanging { continuation.resume() }
            hanging = []
        }
    }

    func status() -> NodeStatus {
        statusCount += 1
        return present
    }

    func readCheck() async -> String? {
        readCount += 1
        if isHanging { await withCheckedContinuation { hanging.append($0) } }
        return fault
    }

    func promise(_ request: PromiseRequest) -> Bool {
        asked.append(request)
        return promises
    }

    func hint() { hintCount += 1 }

    func perform(_ command: NodeCommand) throws(NodeCommandError) {
        if let obstacle { throw obstacle }
        commands.append(command)
        switch command {
        case .promote, .promotePeerIsDown: present.role = .primary
        case .demote, .switchover: present.role = .joining
        case .shutDown: break
        }
    }

    func node(named text: String) -> NodeID? { names[text] ?? NodeID(text) }
}

extension ClusterID {
    static let sample = ClusterID(rawValue: 0xC1)
}

extension PromiseRequest {
    /// What node 1, the holder, asks for.
    static func sample(ttl: Duration = .milliseconds(6000)) -> PromiseRequest {
        PromiseRequest(
            cluster: .sample,
            node: NodeID(rawValue: 1),
            session: SessionID(rawValue: 0x5E),
            epoch: Epoch(rawValue: 3),
            ttl: ttl,
            reference: 9
        )
    }
}
