import Foundation
import SystemPackage
import Testing

@testable import SQLiteReplicate

@Suite struct ReplicaTargetTests {
    /// A folder with a configuration file, gone afterwards.
    private func withFolder(_ body: (FilePath) throws -> Void) throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("target-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let text = "dbs: [{path: \(folder.path)/app.db, replica: {url: 's3://b/app'}, path: \(folder.path)/app.db}]\n"
        try Data(text.utf8).write(to: folder.appendingPathComponent("litestream.yml"))
        try body(FilePath(folder.path))
    }

    @Test("A URL is a replica, and excludes a configuration file")
    func url() throws {
        let target = try ReplicaTarget("s3://b/x", source: ConfigurationSource())
        #expect(target.database == nil && target.replica.s3.bucket == "b")
        let error = try #require(throws: ConfigurationError.self) {
            try ReplicaTarget("s3://b/x", source: ConfigurationSource(path: "/c.yml"))
        }
        #expect(error.code == .conflict)
    }

    @Test("A path is a database of the configuration, however it is written")
    func database() throws {
        try withFolder { folder in
            let source = ConfigurationSource(path: folder.appending("litestream.yml"))
            for argument in ["\(folder)/app.db", "\(folder)/x/../app.db", "sqlite3://\(folder)/app.db"] {
                let target = try ReplicaTarget(argument, source: source)
                #expect(target.database == folder.appending("app.db"))
                #expect(target.replica.displayName == "s3://b/app")
                #expect(target.warnings.map(\.code) == [.duplicateKey])
            }
            let error = try #require(throws: ConfigurationError.self) {
                try ReplicaTarget("\(folder)/other.db", source: source)
            }
            #expect(error.message.contains("database not found in \(folder)/litestream.yml"))
        }
    }

    @Test("Without a configuration file that lists it, an existing folder is a replica")
    func folder() throws {
        try withFolder { folder in
            let nowhere = ["LITESTREAM_CONFIG": "\(folder)/none.yml"]
            let target = try ReplicaTarget(folder.string, source: ConfigurationSource(), environment: nowhere)
            #expect(target.replica == .folder(folder) && target.database == nil)
            let here = ["LITESTREAM_CONFIG": "\(folder)/litestream.yml"]
            #expect(
                try ReplicaTarget(folder.string, source: ConfigurationSource(), environment: here).replica.type == .file
            )
            #expect(
                try ReplicaTarget("\(folder)/app.db", source: ConfigurationSource(), environment: here).replica.type
                    == .s3
            )
            let error = try #require(throws: ConfigurationError.self) {
                try ReplicaTarget("\(folder)/none", source: ConfigurationSource(), environment: nowhere)
            }
            #expect(error.code == .fileNotFound && error.message.contains("-config PATH"))
        }
    }

    @Test("A database and its replica come from two arguments, in this order")
    func arguments() throws {
        let database = try DatabaseConfiguration(argument: "sqlite:///d/./a.db", replica: "s3://b/p")
        #expect(
            database.path == "/d/a.db" && database.metaPath == "/d/.a.db-litestream"
                && database.replica.s3.bucket == "b"
        )
        for (first, second) in [("", "/r"), ("s3://b/p", "/d/a.db"), ("~/a.db", "/r"), ("/a.db", "sftp://h/p")] {
            #expect(throws: ConfigurationError.self) {
                try DatabaseConfiguration(argument: first, replica: second, environment: [:])
            }
        }
    }
}
