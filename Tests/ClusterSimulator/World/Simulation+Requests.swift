import Cluster

/// The way of requests, and what nodes say to each other.
extension Simulation {
    mutating func send(_ index: Int, _ ticket: Ticket, _ operation: Request.Operation) {
        let life = world.nodes[index].life
        let delay = world.random.milliseconds(1...(world.random.chance(50) ? 800 : 30))
        let store = store(for: operation, of: index)
        var request = Request(node: index, life: life, ticket: ticket, operation: operation, store: store)
        let arrival = world.time + delay
        switch world.isHealing ? .arrives : fate(of: request) {
        case .arrives: world.queue.add(.land(request), at: arrival)
        case .isLost: hearNothing(of: request)
        case .conflicts(let conflict): world.queue.add(.deliver(index, life: life, conflict), at: arrival)
        case .goesUnanswered:
            request.isAnswered = false
            world.queue.add(.land(request), at: arrival)
            hearNothing(of: request)
        case .isLate(let delay):
            request.isAnswered = false
            world.queue.add(.land(request), at: world.time + SimulatedTime.timeout + delay)
            hearNothing(of: request)
        }
    }

    /// The sender gives up after a while.
    mutating func hearNothing(of request: Request) {
        world.queue.add(
            .deliver(request.node, life: request.life, request.silence),
            at: world.time + SimulatedTime.timeout
        )
    }

    mutating func land(_ request: Request) {
        let event = carryOut(request)
        guard request.isAnswered, let event else { return }
        let longest = world.random.chance(50) ? 600 : 20
        world.add(.deliver(request.node, life: request.life, event), in: 1...longest)
    }

    // MARK: - Other nodes

    mutating func sendHints(_ index: Int) {
        for other in world.nodes.indices where other != index && reaches(index, other) {
            world.deliver(.hint, to: other, in: 1...20)
        }
    }

    mutating func askPromises(_ index: Int, _ ticket: Ticket, _ others: [NodeID], _ request: PromiseRequest) {
        for other in world.nodes.indices where others.contains(world.nodes[other].id) && reaches(index, other) {
            let life = world.nodes[index].life
            world.add(.ask(from: index, life: life, to: other, ticket, request), in: 1...200)
        }
    }

    mutating func ask(_ from: Int, _ life: Int, _ to: Int, _ ticket: Ticket, _ request: PromiseRequest) {
        var request = request
        world.askedCount += 1
        request.reference = world.askedCount
        world.asked[world.askedCount] = (from, life, ticket)
        tell(to, .promiseAsked(request))
    }

    mutating func answerPromise(_ index: Int, _ request: PromiseRequest, _ granted: Bool) {
        guard let asker = world.asked.removeValue(forKey: request.reference), reaches(index, asker.from) else { return }
        let answer = NodeEvent.promiseAnswered(asker.ticket, from: world.nodes[index].id, granted: granted)
        world.add(.deliver(asker.from, life: asker.life, answer), in: 1...200)
    }
}
