import Foundation
public import SystemPackage

/// The S3 servers that tests run against: moto, and MinIO's front end as the JuiceFS gateway has it.
///
/// `make setup-servers` installs them into `.venv` of the package. Enable a suite by ``areExpected``: it is then
/// skipped on a machine without them, but fails, with what to do, where continuous integration should have them.
public enum Servers {
    /// Whether the servers are there.
    public static var areInstalled: Bool {
        ["python", "juicefs", "moto_server"].allSatisfy {
            FileManager.default.isExecutableFile(atPath: program($0).string)
        }
    }

    /// Whether tests that need them are to run: they are there, or ought to be. Says so once where they are not.
    public static var areExpected: Bool {
        if areInstalled || ProcessInfo.processInfo.environment["CI"] != nil { return true }
        _ = notice
        return false
    }

    private static let notice: Void = print(
        "Tests with S3 servers are skipped: '\(program("python"))' and its neighbours are missing; "
            + "'make setup-servers' installs them."
    )

    /// A program of the servers' environment.
    static func program(_ name: String) -> FilePath { PackageRoot.appending(".venv/bin/\(name)") }

    /// Makes sure that the servers are there.
    ///
    /// - Throws: ``TestSupportError`` with the command that installs them.
    static func require() throws {
        guard areInstalled else {
            throw TestSupportError("'\(program("python"))' or a server is missing: run 'make setup-servers' first.")
        }
    }
}

/// A running S3 server; it ends with this object, and with this process however that ends.
public final class S3TestServer: Sendable {
    /// What it is.
    public enum Kind: Sendable {
        /// moto: honours conditional puts.
        case moto
        /// The JuiceFS gateway, which is MinIO's front end: ignores `If-None-Match`.
        case gateway
    }

    /// What it is.
    public let kind: Kind
    /// Its address: `http://127.0.0.1:PORT`, or `https://localhost:PORT`.
    public let endpoint: String
    /// The access key's id that it takes.
    public let accessKeyID = "minioadmin"
    /// The secret access key that it takes.
    public let secretAccessKey = "minioadmin"
    /// A bucket that is there.
    public let bucket = "test"
    /// The server's process.
    public let process: ChildProcess
    private let folder: FilePath?

    init(kind: Kind, endpoint: String, process: ChildProcess, folder: FilePath? = nil) {
        (self.kind, self.endpoint, self.process, self.folder) = (kind, endpoint, process, folder)
    }

    deinit {
        process.closeInput()
        // Best effort: a folder that stays is in nobody's way.
        if let folder { try? FileManager.default.removeItem(atPath: folder.string) }
    }

    /// Changes to the environment of a program that finds its access keys there.
    public var environment: [String: String?] {
        [
            "AWS_ACCESS_KEY_ID": accessKeyID, "AWS_SECRET_ACCESS_KEY": secretAccessKey,
            "AWS_CA_BUNDLE": nil, "AWS_SESSION_TOKEN": nil, "AWS_PROFILE": nil,
        ]
    }

    /// A replica's URL on this server, with the query that leads there.
    public func url(_ prefix: String) -> String {
        "s3://\(bucket)/\(prefix)?endpoint=\(endpoint)&forcePathStyle=true&region=us-east-1"
    }

    /// Ends the server, and waits until it is gone.
    public func stop() async throws {
        process.closeInput()
        try await process.waitForExit(within: .seconds(30))
    }

    /// Runs a Python program with `s3`, boto3's client of this server, and `bucket`, its bucket's name.
    ///
    /// An independent client, to look at what was written and to write what others would.
    ///
    /// - Returns: What the program printed.
    @discardableResult
    public func python(_ program: String, certificates: FilePath? = nil) async throws -> String {
        let text = """
            import boto3, sys
            from botocore.config import Config
            s3 = boto3.client('s3', endpoint_url='\(endpoint)', region_name='us-east-1',
                aws_access_key_id='\(accessKeyID)', aws_secret_access_key='\(secretAccessKey)',
                verify=\(certificates.map { "'\($0)'" } ?? "None"),
                config=Config(s3={'addressing_style': 'path'}, retries={'max_attempts': 20, 'mode': 'standard'}))
            bucket = '\(bucket)'
            \(program)
            """
        let result = try await ChildProcess.run(Servers.program("python"), ["-c", text], environment: environment)
        return try result.checked().standardOutput
    }
}
