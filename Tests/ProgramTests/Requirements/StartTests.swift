import Foundation
import SystemPackage
import TestDatabases
import TestSupport
import Testing

@Suite("Requirements: the start of replicate", .timeLimit(.minutes(1)))
struct StartTests {
    @Test(
        "restore-if-db-not-exists restores a missing database and goes on with its history",
        arguments: [true, false]
    )
    func restoresFirst(_ byFlag: Bool) async throws {
        try await withTemporaryFolder { folder in
            let replica = ReplicaFolder(folder.appending("replica"))
            let path = folder.appending("app.db")
            var application: Application? = try Application(path, rows: 60)
            try await Ours.run(["replicate", "-once", path.string, replica.url]).checked()
            let digest = try application?.digest()
            application?.close()
            application = nil
            DatabaseFiles.remove(path)
            try FileManager.default.removeItem(atPath: DatabaseFiles.metadata(of: path).string)

            let configuration = Litestream.configuration(
                of: path,
                to: replica.url,
                extra: byFlag ? [] : ["restore-if-db-not-exists: true"]
            )
            let file = folder.appending("c.yml")
            try configuration.write(toFile: file.string, atomically: true, encoding: .utf8)
            let flags = byFlag ? ["-restore-if-db-not-exists"] : []
            let process = try ChildProcess(
                try Ours.executable,
                ["replicate", "-config", file.string, "-log-level", "debug"] + flags,
                environment: Ours.environment
            )
            try await process.waitForOutput(containing: "msg=Attached")
            let restored = try Application(path)
            #expect(try restored.digest() == digest)
            try restored.write()
            try await replica.waitForCommit(restored.commits, of: process)
            try await process.stopShipped()
        }
    }

    @Test("restore-if-db-not-exists with an empty replica waits for the application to make the database")
    func emptyReplica() async throws {
        try await withTemporaryFolder { folder in
            let replica = ReplicaFolder(folder.appending("replica"))
            let path = folder.appending("app.db")
            let process = try Ours.replicate(
                Litestream.configuration(of: path, to: replica.url, extra: ["restore-if-db-not-exists: true"]),
                in: folder
            )
            try await process.waitForOutput(containing: "Waiting for the database")
            let application = try Application(path, rows: 60)
            try await replica.waitForCommit(application.commits, of: process)
            try await process.stopShipped()
        }
    }

    @Test("R-65: AWS_CA_BUNDLE names the authorities that are trusted", .enabled(if: Servers.areExpected))
    func authorities() async throws {
        try await withTemporaryFolder { folder in
            let (certificate, key) = (folder.appending("cert.pem"), folder.appending("key.pem"))
            try await ChildProcess.run(
                "openssl",
                [
                    "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
                    "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1",
                    "-out", certificate.string, "-keyout", key.string,
                ]
            ).checked()
            let server = try await S3TestServer.moto(certificate: (certificate, key))
            let application = try Application(folder.appending("app.db"))
            let trusting = server.environment.merging(["AWS_CA_BUNDLE": certificate.string]) { $1 }
            let once = ["replicate", "-once", application.path.string, server.url("app")]
            try await Ours.run(once, environment: trusting).checked()
            let output = folder.appending("out.db")
            try await Ours.restore(server.url("app"), to: output, environment: trusting)
            #expect(try RestoredDatabase(output).digest == application.digest())
            let doubting = try await Ours.run(
                ["restore", "-force", "-o", output.string, server.url("app")],
                environment: server.environment
            )
            expectRefusal(doubting, naming: [server.bucket, "AWS_CA_BUNDLE"])
            let missing = server.environment.merging(["AWS_CA_BUNDLE": folder.appending("none.pem").string]) { $1 }
            expectRefusal(try await Ours.run(once, environment: missing), naming: ["none.pem"])
            try await server.stop()
        }
    }
}
