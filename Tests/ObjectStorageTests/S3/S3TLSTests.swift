import ObjectStorage
import SystemPackage
import TestSupport
import Testing

@Suite(.enabled(if: Servers.areExpected, "S3 servers are not installed"), .timeLimit(.minutes(2)))
struct S3TLSTests {
    @Test("A server's certificate is checked against the system's authorities or one's own, unless told otherwise")
    func trust() async throws {
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

            let trusting = try server.store {
                $0.certificateAuthorities = certificate
                $0.signPayload = false
            }
            try await trusting.put("k", "unsigned")
            #expect(try await trusting.text("k") == "unsigned")

            let doubting = try server.store()
            await expectError(.unreachable, naming: ["TLS", "AWS_CA_BUNDLE"]) { _ = try await doubting.text("k") }
            #expect(doubting.requestCount == 1)

            let careless = try server.store { $0.skipVerify = true }
            #expect(try await careless.text("k") == "unsigned")

            let environment = ProcessEnvironment(["AWS_CA_BUNDLE": certificate.string])
            let informed = try S3Store(configuration: doubting.configuration, environment: environment)
            #expect(try await informed.text("k") == "unsigned")

            await expectError(.invalidRequest, naming: ["none.pem"]) {
                _ = try server.store { $0.certificateAuthorities = folder.appending("none.pem") }
            }
            let garbled = try server.store { $0.certificateAuthorities = FilePath(#filePath) }
            await expectError(.invalidRequest, naming: ["PEM"]) { _ = try await garbled.text("k") }
            #expect(garbled.requestCount == 1)
            try await server.stop()
        }
    }
}
