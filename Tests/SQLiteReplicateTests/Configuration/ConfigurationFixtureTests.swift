import SystemPackage
import Testing

@testable import SQLiteReplicate

@Suite struct ConfigurationFixtureTests {
    private func read(_ name: String, environment: [String: String] = [:]) throws -> ConfigurationFile {
        let text = try #require(ConfigurationFixtures.texts[name])
        return try parse(text, environment: ["FIXTURE_DIR": "/fix"].merging(environment) { $1 })
    }

    private func error(_ name: String) throws -> ConfigurationError {
        let text = try #require(ConfigurationFixtures.texts[name])
        return try #require(parseError(text, environment: ["FIXTURE_DIR": "/fix"]))
    }

    @Test("One database with a file replica has all defaults")
    func plain() throws {
        let file = try read("01-plain")
        var expected = ReplicationConfiguration()
        expected.databases = [DatabaseConfiguration(path: "/data/app.db", replica: .folder("/backup/app"))]
        #expect(file.configuration == expected)
        #expect(file.warnings.isEmpty)
        #expect(expected.databases[0].metaPath == "/data/.app.db-litestream")
        #expect(expected.databases[0].monitorInterval == .seconds(30))
    }

    @Test("Variables are replaced in the raw text; unset ones vanish with a warning; $PID is the process id")
    func environment() throws {
        let variables = ["APP_DB": "/data/env.db", "BUCKET": "bkt", "KEY": "AKID", "SECRET": "shh", "PID": "no"]
        let file = try read("02-env", environment: variables)
        let database = try #require(file.configuration.databases.first)
        #expect(database.path == "/data/env.db")
        let processID = try #require(Int(database.metaPath.string.dropFirst("/data/meta-".count)))
        #expect(processID > 0)
        #expect(database.replica.type == .s3)
        #expect(database.replica.path == "prefix--end")
        #expect(database.replica.keyPrefix == "prefix--end/")
        #expect(database.replica.s3.bucket == "bkt")
        #expect(database.replica.s3.region == "us-east-1")
        #expect(database.replica.s3.accessKeyID == Secret("AKID"))
        #expect(database.replica.s3.secretAccessKey?.exposed == "shh")
        #expect(file.warnings.map(\.short) == ["environment 11:20"])
        #expect(file.warnings.first?.message.contains("NOT_SET") == true)
    }

    @Test("Without expansion the text stays as it is")
    func noExpansion() throws {
        let file = try parse(#require(ConfigurationFixtures.texts["02-env"]), expandEnvironment: false)
        #expect(file.configuration.databases.first?.path == "/current dir/${APP_DB}")
        #expect(file.configuration.databases.first?.replica.s3.accessKeyID == Secret("${KEY}"))
        #expect(file.warnings.isEmpty)
    }

    @Test("A list of one replica equals a replica, with a warning for each old key")
    func replicasList() throws {
        let file = try read("03-replicas-list")
        let replica = try #require(file.configuration.databases.first?.replica)
        #expect(replica.type == .file)
        #expect(replica.path == "/backup/app")
        #expect(replica.name == "local")
        #expect(replica.syncInterval == .seconds(10))
        #expect(file.warnings.map(\.short) == ["outdated 4:5", "outdated 6:9"])
        #expect(file.warnings.first?.message.contains("'replica'") == true)
    }

    @Test("URLs of types that are not served are refused where they stand")
    func urls() throws {
        let error = try error("04-replica-url")
        #expect(error.code == .notServed)
        #expect(error.place == "19:12")
        #expect(error.message.contains("sftp"))
        #expect(!error.description.contains("pass@"))
    }

    @Test("The S3 and file URLs of the same file are understood")
    func servedURLs() throws {
        let text = try #require(ConfigurationFixtures.texts["04-replica-url"])
        let served = text.split(separator: "\n").prefix(16).joined(separator: "\n")
        let databases = try parse(served).configuration.databases
        #expect(databases.map(\.path) == ["/data/a.db", "/data/b.db", "/data/c.db", "/data/d.db"])
        let (a, b, c, d) = (databases[0].replica, databases[1].replica, databases[2].replica, databases[3].replica)
        #expect(a.s3.bucket == "bkt" && a.path == "some/prefix" && a.s3.region == "eu-west-1")
        #expect(a.s3.partSize == 8_388_608 && a.s3.concurrency == 3 && a.s3.storageClass == "STANDARD_IA")
        #expect(
            b.s3.endpoint == "http://localhost:9000" && b.s3.forcePathStyle == true && b.s3.requireContentMD5 == true
        )
        #expect(b.s3.accessKeyID == Secret("minioadmin") && b.s3.secretAccessKey == Secret("minioadmin"))
        #expect(c.s3.bucket == "bkt" && c.s3.region == "nyc3" && c.path == "c")
        #expect(c.s3.endpoint == "https://nyc3.digitaloceanspaces.com")
        #expect(d.type == .file && d.path == "/backup/d")
    }

    @Test("A folder of databases is not served yet and refused where it stands")
    func directory() throws {
        let error = try error("05-dir-pattern")
        #expect(error.code == .notServed)
        #expect(error.place == "4:5")
        #expect(error.message.contains("'dir'"))
    }

    @Test("Every timer and size is taken over")
    func timers() throws {
        let file = try read("06-levels-snapshot")
        let configuration = file.configuration
        #expect(configuration.levels == [.seconds(10), .seconds(60)])
        #expect(configuration.snapshot.interval == .seconds(6 * 3600))
        #expect(configuration.snapshot.retention == .seconds(72 * 3600))
        #expect(configuration.l0Retention == .zero)
        #expect(configuration.l0RetentionCheckInterval == .seconds(30))
        #expect(configuration.verifyCompaction)
        #expect(!configuration.retentionEnabled)
        #expect(configuration.validationInterval == .seconds(300))
        #expect(configuration.shutdownSyncTimeout == .seconds(5))
        #expect(configuration.shutdownSyncInterval == .milliseconds(250))
        let database = try #require(configuration.databases.first)
        #expect(database.monitorInterval == .milliseconds(500))
        #expect(database.checkpointInterval == .seconds(30))
        #expect(database.busyTimeout == .seconds(3))
        #expect(database.minCheckpointPageCount == 500)
        #expect(database.truncatePageN == 20_000)
        #expect(database.maxSyncWALBytes == 16_777_216)
        #expect(database.restoreIfDatabaseNotExists)
        #expect(database.replica.syncInterval == .seconds(2))
        #expect(database.replica.maxSyncLTXFiles == 64)
        #expect(database.replica.autoRecover)
        #expect(file.warnings.map(\.short) == ["ignored 31:7", "ignored 32:7"])
    }

    @Test("exec is the program to be run")
    func exec() throws { #expect(try read("07-services").configuration.exec == "sleep 1") }

    @Test("Without exec, the other services are taken with one warning each")
    func services() throws {
        let text = try #require(ConfigurationFixtures.texts["07-services"]).replacing("exec: sleep 1", with: "")
        let file = try parse(text, environment: ["FIXTURE_DIR": "/fix"])
        #expect(file.warnings.map(\.short) == ["ignored 3:1", "ignored 4:1", "ignored 5:1"])
        #expect(file.configuration.heartbeatURL == "http://127.0.0.1:1/ping")
        #expect(file.configuration.heartbeatInterval == .seconds(120))
        #expect(file.configuration.logging.level == .debug)
        #expect(file.configuration.logging.type == .json)
        #expect(file.configuration.logging.stderr && file.configuration.logging.source)
    }

    @Test("The keys of 0.3 do what they say, and each warning names the successor")
    func outdated() throws {
        let file = try read("08-deprecated-03")
        let configuration = file.configuration
        #expect(configuration.snapshot.retention == .seconds(72 * 3600))
        #expect(configuration.snapshot.interval == .seconds(24 * 3600))
        #expect(configuration.retentionCheckInterval == .seconds(3600))
        let database = try #require(configuration.databases.first)
        #expect(database.truncatePageN == 10_000)
        #expect(database.replica.validationInterval == .seconds(12 * 3600))
        #expect(database.replica.name == "offsite")
        let successors = [
            "'addr'", "'truncate-page-n'", "'replica'", "'path'", "'snapshot.retention'", "'snapshot.interval'",
            "'snapshot.interval'", "'validation.interval'",
        ]
        #expect(file.warnings.count == successors.count)
        for (warning, successor) in zip(file.warnings, successors) {
            #expect(warning.message.contains(successor), "\(warning)")
        }
    }

    @Test("An unknown key is refused with the nearest known one")
    func unknownKey() throws {
        let error = try error("09-unknown-key")
        #expect(error.code == .unknownKey)
        #expect(error.place == "2:1")
        #expect(error.message.contains("'colour'"))
        let text = try #require(ConfigurationFixtures.texts["09-unknown-key"])
        let second = try #require(parseError(text.replacing("colour: blue", with: "")))
        #expect(second.place == "5:5")
        #expect(second.message.contains("the nearest known one is 'checkpoint-interval'"))
        let third = try #require(
            parseError(text.replacing("colour: blue", with: "").replacing("checkpont", with: "checkpoint"))
        )
        #expect(third.place == "8:7")
        #expect(third.message.contains("the nearest known one is 'sync-interval'"))
    }

    @Test("A database without a path is refused where it stands")
    func missingPath() throws {
        let error = try error("10-missing-path")
        #expect(error.code == .missingKey)
        #expect(error.place == "3:5")
    }

    @Test("A duration in days is refused with the units there are")
    func badDuration() throws {
        let error = try error("11-bad-duration")
        #expect(error.code == .invalidValue)
        #expect(error.place == "3:14")
        #expect(error.message.contains("'d'") && error.message.contains("ns, us, ms, s, m and h"))
    }

    @Test("A database that is listed twice is refused")
    func duplicate() throws {
        let error = try error("12-duplicate-db")
        #expect(error.code == .conflict)
        #expect(error.place == "6:11")
        #expect(error.message.contains("/fix/app.db"))
    }
}
