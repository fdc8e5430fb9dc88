import NIOSSL
import Replication
import SystemPackage

extension WitnessSettings.Certificate {
    /// No chain of certificates is longer.
    private static let limit = 1 << 20

    /// Reads both files. Blocks.
    ///
    /// - Throws: ``WitnessError`` where one cannot be read, is something else, or does not belong to the other.
    func load() throws(WitnessError) -> TLSConfiguration {
        let chain: [NIOSSLCertificate]
        do {
            chain = try NIOSSLCertificate.fromPEMBytes(try Self.contents(certificate))
        } catch {
            throw .certificate(certificate, Self.words(error))
        }
        guard !chain.isEmpty else { throw .certificate(certificate, "no certificate is in it") }
        let privateKey: NIOSSLPrivateKey
        do {
            let bytes = try Self.contents(key)
            guard !String(decoding: bytes, as: UTF8.self).contains("ENCRYPTED") else {
                throw WitnessError.key(key, "it wants a password")
            }
            privateKey = try NIOSSLPrivateKey(bytes: bytes, format: .pem)
        } catch let error as WitnessError {
            throw error
        } catch {
            throw .key(key, Self.words(error))
        }
        var configuration = TLSConfiguration.makeServerConfiguration(
            certificateChain: chain.map { .certificate($0) },
            privateKey: .privateKey(privateKey)
        )
        configuration.minimumTLSVersion = .tlsv12
        do {
            _ = try NIOSSLContext(configuration: configuration)
        } catch {
            throw .pair(certificate, key, "\(error)")
        }
        return configuration
    }

    private static func contents(_ path: FilePath) throws -> [UInt8] {
        guard let bytes = try Disk.contents(of: path, limit: limit) else {
            throw FileFailure("reading", path, Errno.noSuchFileOrDirectory.rawValue)
        }
        return bytes
    }

    private static func words(_ error: any Error) -> String {
        (error as? FileFailure).map { "\($0.errno)" } ?? "it holds something else"
    }
}
