import Cluster
import Foundation
import ObjectStorage
import SQLiteReplicate
import SystemPackage
import TestSupport
import Testing

/// TLS with certificates that `openssl` made.
@Suite(.timeLimit(.minutes(2))) struct WitnessTLSTests {
    /// Makes a key and a certificate for 127.0.0.1.
    private func pair(_ name: String, in folder: FilePath) async throws -> WitnessSettings.Certificate {
        let pair = WitnessSettings.Certificate(
            certificate: folder.appending("\(name).pem"),
            key: folder.appending("\(name).key")
        )
        let arguments = [
            "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
            "-subj", "/CN=witness", "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", pair.key.string,
            "-out", pair.certificate.string,
        ]
        try await ChildProcess.run("openssl", arguments).checked()
        return pair
    }

    @Test("Clients that trust the certificate read and write, others do not")
    func roundTrip() async throws {
        try await withTemporaryFolder { folder in
            var settings = WitnessSettings.at(folder, token: Secret("c0rrect-horse"))
            settings.certificate = try await pair("witness", in: folder)
            settings.clientTimeout = .seconds(1)
            let authorities = settings.certificate?.certificate
            try await withWitness(settings) { url in
                #expect(url.hasPrefix("https://"))
                let token = Secret("c0rrect-horse")
                let client = WitnessClient(url: url, token: token, certificateAuthorities: authorities)
                let cell = client.cell(of: .watched)
                let version = try await cell.put([1, 2, 3], replacing: nil)
                let read = try await cell.read()
                #expect(read.bytes == [1, 2, 3] && read.version == version && version != nil)
                #expect(try await client.trouble() == nil)

                var error = await #expect(throws: ObjectStoreError.self) {
                    try await WitnessClient(url: url, token: token).cell(of: .watched).put([4], replacing: version)
                }
                #expect(
                    error?.code == .unreachable && error?.message.contains("trusted here") == true,
                    "\(error as Any)"
                )
                let missing = folder.appending("none.pem")
                error = await #expect(throws: ObjectStoreError.self) {
                    try await WitnessClient(url: url, token: token, certificateAuthorities: missing).list()
                }
                #expect(error?.code == .invalidRequest && error?.message.contains("PEM") == true, "\(error as Any)")
                let plain = url.replacing("https://", with: "http://")
                error = await #expect(throws: ObjectStoreError.self) {
                    try await WitnessClient(url: plain, token: token).cell(of: .watched).put([4], replacing: version)
                }
                #expect(error?.code == .outcomeUnknown)

                // Who does not get to the end of a handshake is dropped.
                let port = try #require(url.split(separator: ":").last.flatMap { Int($0) })
                for bytes in ["", "\u{16}\u{03}\u{01}\u{02}", "GET /health HTTP/1.1\r\nHost: a\r\n\r\n"] {
                    let raw = try await RawConnection(port: port)
                    _ = try? await raw.send(bytes)
                    try await raw.closed()
                    #expect(!raw.text.contains("HTTP/1.1 200"))
                }
                #expect(try await cell.read().bytes == [1, 2, 3])
            }
        }
    }

    @Test("Files that cannot be used are told by their names, and what they lack")
    func files() async throws {
        try await withTemporaryFolder { folder in
            let (one, two) = (try await pair("one", in: folder), try await pair("two", in: folder))
            let (garbage, locked, none) = (
                folder.appending("garbage"), folder.appending("locked.key"), folder.appending("none")
            )
            try Data("something else".utf8).write(to: URL(filePath: garbage.string))
            try await ChildProcess.run(
                "openssl",
                ["ec", "-in", one.key.string, "-aes256", "-passout", "pass:secret", "-out", locked.string]
            ).checked()
            for (certificate, key, words) in [
                (none, one.key, ["certificate '\(none)'", "No such file"]),
                (garbage, one.key, ["certificate '\(garbage)'", "something else"]),
                (one.key, one.key, ["certificate '\(one.key)'"]),
                (folder, one.key, ["certificate '\(folder)'"]),
                (one.certificate, none, ["key '\(none)'", "No such file"]),
                (one.certificate, garbage, ["key '\(garbage)'", "something else"]),
                (one.certificate, locked, ["key '\(locked)'", "password"]),
                (one.certificate, two.key, ["'\(two.key)' is not that of the certificate '\(one.certificate)'"]),
            ] {
                var settings = WitnessSettings.at(folder)
                settings.certificate = .init(certificate: certificate, key: key)
                let error = await #expect(throws: WitnessError.self) {
                    try await WitnessServer(settings, logger: .silent).run()
                }
                #expect(error?.code == .certificate)
                for word in words { #expect(error?.message.contains(word) == true, "'\(word)': \(error as Any)") }
            }
            // Nothing was made before.
            #expect(!FileManager.default.fileExists(atPath: folder.appending("witness.db").string))
        }
    }
}
