extension TwoHostPlan {
    /// What to do, in this order.
    public struct Step: Hashable, Sendable {
        /// Where: `a`, `b`, `witness`, or several of them.
        public var place: String
        /// What for.
        public var purpose: String
        /// What to type; empty where the purpose says it all.
        public var commands: [String]
    }

    /// The steps from nothing to two nodes that have changed places once.
    public var steps: [Step] {
        var steps: [Step] = []
        switch witnessPlace {
        case .server(let url): steps.append(witnessStep(url))
        case .store:
            steps.append(
                Step(
                    place: "a",
                    purpose:
                        "The store that is the witness must honour conditional writes (exit code 3 where it does not).",
                    commands: ["sqlite-replicate witness status \(Self.argument(witness ?? ""))"]
                )
            )
        case nil: break
        }
        let names = variables.map(\.name).joined(separator: ", ")
        steps.append(
            Step(
                place: "a, b",
                purpose:
                    "Put a.yml on a and b.yml on b, as /etc/sqlite-replicate.yml, and set these in the environment of both: "
                    + "\(names). Stop whatever replicates the database now.",
                commands: []
            )
        )
        steps.append(
            Step(
                place: "a",
                purpose:
                    "Look at both stores\(witness == nil ? "" : " and the witness"), and begin: what does not fit is named. "
                    + "What lies in the stores, as a replica of Litestream's, may stay.",
                commands: ["sqlite-replicate cluster init \(Self.file)", "sqlite-replicate service \(Self.file)"]
            )
        )
        steps.append(
            Step(
                place: "b",
                purpose:
                    "The database is restored from the store on b as soon as a has put its whole copy there. A database at "
                    + "that path would be kept as a tail: move it away before.",
                commands: ["sqlite-replicate standby \(Self.file)"]
            )
        )
        steps.append(
            Step(
                place: "a or b",
                purpose: witness == nil
                    ? "The store on b must hold all that was acknowledged."
                    : "Both nodes must be eligible, and the store on b must hold all that was acknowledged.",
                commands: ["sqlite-replicate cluster status \(Self.file)"]
            )
        )
        steps.append(
            Step(
                place: "a, then b",
                purpose: "Change places once, and back: what works today works when it is needed.",
                commands: [
                    "sqlite-replicate switchover -to b \(Self.file)    # on a",
                    "sqlite-replicate switchover -to a \(Self.file)    # on b",
                ]
            )
        )
        if witness == nil { steps.append(Self.wordStep) }
        return steps
    }

    private static let wordStep = Step(
        place: "the other host",
        purpose:
            "When a host is down: nobody takes over by itself. 'cluster status' says what is so, and which word is needed. "
            + "Say it only where the other node is stopped for certain: what it goes on to commit would be a tail.",
        commands: [
            "sqlite-replicate cluster status \(file)", "sqlite-replicate promote -peer-is-down \(file)",
        ]
    )

    private static let file = "-config /etc/sqlite-replicate.yml"

    private func witnessStep(_ url: String) -> Step {
        let host = Endpoint.hostAndPort(of: url)
        let port = host.split(separator: ":").last.flatMap { UInt16($0) }.map(Int.init) ?? WitnessSettings.defaultPort
        let isTLS = Endpoint.scheme(of: url) == "https"
        let tls = isTLS ? " -certificate CERT.pem -key KEY.pem" : ""
        return Step(
            place: "witness",
            purpose:
                "Run the witness on \(Endpoint.host(of: url)), a third host, as Examples/systemd has it; its token is "
                + "WITNESS_TOKEN on a and b."
                + (isTLS ? "" : " Without TLS whoever reads the network can read the token."),
            commands: [
                "openssl rand -hex 32 > /etc/sqlite-replicate-witness.token",
                "sqlite-replicate witness -data /var/lib/witness/witness.db -listen :\(port) "
                    + "-token-file /etc/sqlite-replicate-witness.token\(tls)",
            ]
        )
    }

    /// An argument as a shell takes it.
    private static func argument(_ text: String) -> String { "'" + text.replacing("'", with: "'\\''") + "'" }
}
