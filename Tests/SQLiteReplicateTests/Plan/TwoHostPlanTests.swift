import Foundation
import SystemPackage
import TestSupport
import Testing

@testable import SQLiteReplicate

/// A plan of two hosts: its files are what a node reads.
@Suite struct TwoHostPlanTests {
    private func plan(
        a: String = "10.0.0.1",
        b: String = "node-b.example:4000",
        storeA: String = "s3://app/main?endpoint=http://10.0.0.1:9000&region=eu-1",
        storeB: String = "s3://app/main?endpoint=http://10.0.0.2:9000",
        database: String = #"/data/the "app".db"#,
        witness: String? = "https://w.example:3001"
    ) throws(ConfigurationError) -> TwoHostPlan {
        try TwoHostPlan(a: a, b: b, storeA: storeA, storeB: storeB, database: database, witness: witness)
    }

    private func environment(_ plan: TwoHostPlan) -> [String: String] {
        Dictionary(uniqueKeysWithValues: plan.variables.map { ($0.name, "value-of-\($0.name)") })
    }

    @Test("Both files are read as they were meant, each with its own store and the other's")
    func files() throws {
        let plan = try plan()
        #expect(try plan.check().isEmpty)
        let environment = environment(plan)
        let a = try parse(plan.fileA, environment: environment)
        let b = try parse(plan.fileB, environment: environment)
        #expect(a.warnings.isEmpty && b.warnings.isEmpty)
        for (file, name, own, peer) in [(a, "a", "1", "2"), (b, "b", "2", "1")] {
            let cluster = try #require(file.configuration.cluster)
            let database = try #require(file.configuration.databases.first)
            #expect(cluster.name == name && database.path.string == #"/data/the "app".db"#)
            #expect(database.replica.s3.endpoint == "http://10.0.0.\(own):9000")
            #expect(cluster.peerStore?.s3.endpoint == "http://10.0.0.\(peer):9000")
            #expect(cluster.token?.exposed == "value-of-CLUSTER_TOKEN")
            #expect(cluster.witness?.place == .server(url: "https://w.example:3001"))
            #expect(cluster.witness?.access.token?.exposed == "value-of-WITNESS_TOKEN")
            let (mine, theirs) = name == "a" ? ("A", "B") : ("B", "A")
            #expect(database.replica.s3.accessKeyID?.exposed == "value-of-STORE_\(mine)_ACCESS_KEY_ID")
            #expect(cluster.peerStore?.s3.secretAccessKey?.exposed == "value-of-STORE_\(theirs)_SECRET_ACCESS_KEY")
        }
        #expect(a.configuration.cluster?.url == "http://10.0.0.1:3000")
        #expect(a.configuration.cluster?.listen == ListenAddress(host: "0.0.0.0", port: 3000))
        #expect(b.configuration.cluster?.url == "http://node-b.example:4000")
        #expect(b.configuration.cluster?.listen.port == 4000)
    }

    @Test("Folders, an IPv6 address, and a store as the witness")
    func otherKinds() throws {
        let plan = try plan(
            a: "fd00::1",
            b: "https://[fd00::2]:5000/",
            storeA: "file:///data/store",
            storeB: "file:///mnt/b/store",
            witness: "s3://third/w?region=eu-2"
        )
        #expect(try plan.check().isEmpty)
        #expect(plan.a.url == "http://[fd00::1]:3000" && plan.b.url == "https://[fd00::2]:5000")
        let file = try parse(plan.fileB, environment: environment(plan))
        #expect(file.configuration.databases.first?.replica.path == "/mnt/b/store")
        #expect(file.configuration.cluster?.peerStore?.path == "/data/store")
        guard case .store(let witness)? = file.configuration.cluster?.witness?.place else {
            Issue.record("the witness is no store")
            return
        }
        #expect(witness.s3.accessKeyID?.exposed == "value-of-WITNESS_ACCESS_KEY_ID")
        #expect(plan.variables.map(\.name) == ["CLUSTER_TOKEN", "WITNESS_ACCESS_KEY_ID", "WITNESS_SECRET_ACCESS_KEY"])
        #expect(plan.steps.first?.commands == ["sqlite-replicate witness status 's3://third/w?region=eu-2'"])
    }

    @Test("The steps name the witness's port, and all that is to be set")
    func steps() throws {
        let plan = try plan(witness: "http://10.0.0.9:3100")
        let text = plan.steps.map { "\($0.place) \($0.purpose) \($0.commands)" }.joined(separator: "\n")
        for words in ["-listen :3100", "cluster init", "standby", "switchover -to b", "can read the token"] {
            #expect(text.contains(words), "\(words)")
        }
        for (name, _) in plan.variables { #expect(text.contains(name), "\(name)") }
        #expect(try plan.check().count == 1)  // the token travels in the open
        #expect(TwoHostLosses.all.count == 7)
    }

    @Test("What cannot be such a set-up is refused")
    func refusals() throws {
        func refused(_ words: String, _ make: () throws(ConfigurationError) -> TwoHostPlan) {
            let error = #expect(throws: ConfigurationError.self) { _ = try make().check() }
            #expect(error?.message.contains(words) == true, "\(error?.message ?? "")")
        }
        refused("as the database's 'replica'") { () throws(ConfigurationError) in
            try plan(storeB: "s3://app/main?endpoint=http://10.0.0.1:9000")
        }
        refused("a third place") { () throws(ConfigurationError) in
            try plan(witness: "s3://app/main?endpoint=http://10.0.0.2:9000")
        }
        refused("-a and -b are two") { () throws(ConfigurationError) in try plan(b: "10.0.0.1") }
        refused("-a must be the name") { () throws(ConfigurationError) in try plan(a: "a/b") }
        refused("-b must be the name") { () throws(ConfigurationError) in try plan(b: "ftp://b") }
        refused("-store-a must be a URL") { () throws(ConfigurationError) in try plan(storeA: "/data") }
        refused("dollar sign") { () throws(ConfigurationError) in try plan(storeA: "s3://app/$HOME") }
        refused("-database must be a whole path") { () throws(ConfigurationError) in try plan(database: "app.db") }
        refused("must begin with https://") { () throws(ConfigurationError) in try plan(witness: "w") }
        let key = String(repeating: "A", count: 43) + "="
        refused("must not hold a key") { () throws(ConfigurationError) in
            try plan(storeA: "s3://app/main?sse-customer-key=\(key)")
        }
    }

    @Test("Files are written beside and renamed, and never over one that is there")
    func writing() async throws {
        try await withTemporaryFolder { folder in
            let (plan, there) = (try plan(), folder.appending("new/plan"))
            try await plan.write(to: there)
            #expect(try FileManager.default.contentsOfDirectory(atPath: there.string).sorted() == ["a.yml", "b.yml"])
            #expect(try String(contentsOfFile: there.appending("b.yml").string, encoding: .utf8) == plan.fileB)
            try "mine".write(toFile: there.appending("b.yml").string, atomically: true, encoding: .utf8)
            try FileManager.default.removeItem(atPath: there.appending("a.yml").string)
            let error = await #expect(throws: ConfigurationError.self) { try await plan.write(to: there) }
            #expect(error?.message.contains("b.yml is there already") == true)
            #expect(try FileManager.default.contentsOfDirectory(atPath: there.string) == ["b.yml"])
            #expect(try String(contentsOfFile: there.appending("b.yml").string, encoding: .utf8) == "mine")
        }
    }
}
