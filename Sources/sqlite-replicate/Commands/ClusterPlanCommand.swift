import ArgumentParser
import SQLiteReplicate
import SystemPackage

/// `cluster plan`: sets two hosts with a store each up, on paper.
struct ClusterPlanCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "plan",
        abstract:
            "Plan two hosts with a store each: both configuration files, the steps, and what is lost in which fault.",
        discussion: """
            Nothing is asked of any host. The nodes are called a and b; a has the database. The files name environment \
            variables where something is secret, and are read as a node would before they are shown.

              sqlite-replicate cluster plan -a 10.0.0.1 -b 10.0.0.2 \\
                -store-a 's3://app/main?endpoint=http://10.0.0.1:9000' \\
                -store-b 's3://app/main?endpoint=http://10.0.0.2:9000' \\
                -database /data/app.db -witness https://10.0.0.9:3001 -o plan

            Without -witness nobody takes over by itself: the plan is for a person who says that the other host is down.

            \(NodeExit.discussion)
            """
    )

    @Option(
        name: [.customShort("a"), .customLong("a")],
        help: ArgumentHelp("The host that has the database: a name, an address or a URL.", valueName: "host")
    )
    var hostA: String

    @Option(name: [.customShort("b"), .customLong("b")], help: ArgumentHelp("The other host.", valueName: "host"))
    var hostB: String

    @Option(name: .both("store-a"), help: ArgumentHelp("The store on a, as both hosts reach it.", valueName: "url"))
    var storeA: String

    @Option(name: .both("store-b"), help: ArgumentHelp("The store on b, as both hosts reach it.", valueName: "url"))
    var storeB: String

    @Option(name: .both("database"), help: ArgumentHelp("The database's path, on both.", valueName: "path"))
    var database: String

    @Option(
        name: .both("witness"),
        help: ArgumentHelp("The witness: http(s)://HOST:PORT of a third host, or a third store.", valueName: "url")
    )
    var witness: String?

    @Option(
        name: [.customShort("o"), .customLong("output")],
        help: ArgumentHelp(
            "Write a.yml and b.yml into this folder; files that are there are kept.",
            valueName: "folder"
        )
    )
    var folder: String?

    func run() async throws {
        try await NodeExit.run {
            let plan = try TwoHostPlan(
                a: hostA,
                b: hostB,
                storeA: storeA,
                storeB: storeB,
                database: database,
                witness: witness
            )
            let remarks = try plan.check()
            if let folder { try await plan.write(to: FilePath(folder)) }
            StandardStreams.output(PlanOutput(plan, remarks: remarks, folder: folder).text)
        }
    }
}
