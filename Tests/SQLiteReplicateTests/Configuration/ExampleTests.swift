import Foundation
import SQLiteReplicate
import SystemPackage
import TestSupport
import Testing

/// What users copy.
@Suite struct ExampleTests {
    private static let environment = [
        "BUCKET": "backups", "MINIO_ACCESS_KEY": "key", "MINIO_SECRET_KEY": "secret",
        "CLUSTER_TOKEN": "0123456789abcdef", "HOME": "/home/app",
    ]

    /// The files below a folder of the package whose names end so.
    private static func files(_ folder: String, _ suffix: String) -> [String] {
        let root = PackageRoot.appending(folder)
        let names = FileManager.default.enumerator(atPath: root.string)?.compactMap { $0 as? String } ?? []
        return names.filter { $0.hasSuffix(suffix) && !$0.contains(".build/") }.map { "\(folder)/\($0)" }.sorted()
    }

    static let configurations = files("Examples", ".yml")
    static let texts = files("Sources/SQLiteReplicate/Documentation.docc", ".md") + ["README.md"]

    private func parse(_ text: String) async throws -> ReplicationConfiguration {
        try await withTemporaryFolder { folder in
            let path = folder.appending("litestream.yml")
            try text.write(toFile: path.string, atomically: true, encoding: .utf8)
            return try ConfigurationFile.load(path: path, environment: Self.environment).configuration
        }
    }

    @Test("Every example is a configuration without a warning", arguments: configurations)
    func configuration(_ file: String) async throws {
        let path = PackageRoot.appending(file)
        let loaded = try ConfigurationFile.load(path: path, environment: Self.environment)
        #expect(loaded.warnings.isEmpty, "\(loaded.warnings)")
        #expect(!loaded.configuration.databases.isEmpty)
        // What is commented out may be taken in: all of it at once.
        let text = try String(contentsOfFile: path.string, encoding: .utf8)
        let whole = text.replacing(/(?m)^#(?=[a-z ] *[a-z-]+:)/, with: "")
        guard whole != text else { return }
        let all = try await parse(whole)
        #expect(all.exec != nil && all.cluster?.hooks.primary != nil && all.validationInterval != nil)
        #expect(!all.service.writes)
    }

    @Test("Every configuration in the documentation can be read", arguments: texts)
    func documentation(_ file: String) async throws {
        let text = try String(contentsOfFile: PackageRoot.appending(file).string, encoding: .utf8)
        for block in text.components(separatedBy: "```yaml\n").dropFirst() {
            let yaml = block.components(separatedBy: "```")[0]
            guard yaml.contains("dbs:") else { continue }
            _ = try await parse(yaml)
        }
    }

    @Test("The units give a stop more time than the program takes for it")
    func units() throws {
        let limit = ReplicationConfiguration().shutdownSyncTimeout + ProgramGuard.standardGrace
        for file in Self.files("Examples/systemd", ".service") {
            let text = try String(contentsOfFile: PackageRoot.appending(file).string, encoding: .utf8)
            let line = try #require(text.split(separator: "\n").first { $0.hasPrefix("TimeoutStopSec=") })
            #expect(Duration.seconds(try #require(Int(line.dropFirst(15)))) > limit, "\(file)")
        }
    }
}
