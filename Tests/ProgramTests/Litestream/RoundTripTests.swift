import SystemPackage
import TestDatabases
import TestSupport
import Testing

@Suite("Both directions with the real Litestream", .enabled(if: Litestream.isExpected), .timeLimit(.minutes(5)))
struct RoundTripTests {
    @Test(
        "What this program ships from a database of any page size, both restore",
        arguments: WorkloadOptions.pageSizes
    )
    func oursToBoth(_ pageSize: Int) async throws {
        try await withTemporaryFolder { folder in
            let replica = ReplicaFolder(folder.appending("replica"))
            try await shipOurs(to: replica.url, in: folder, pageSize: pageSize)
        }
    }

    @Test(
        "What Litestream ships from a database of any page size, this program restores",
        arguments: WorkloadOptions.pageSizes
    )
    func litestreamToOurs(_ pageSize: Int) async throws {
        try await withTemporaryFolder { folder in
            try await shipLitestream(to: ReplicaFolder(folder.appending("replica")).url, in: folder, pageSize: pageSize)
        }
    }

    @Test(
        "What this program ships to a bucket, both restore",
        .enabled(if: Servers.areExpected),
        arguments: [S3TestServer.Kind.moto, .gateway]
    )
    func oursToBothByBucket(_ kind: S3TestServer.Kind) async throws {
        try await withServer(kind) { server in
            try await withTemporaryFolder { folder in
                let url = server.url("ours-\(folder.lastComponent?.string ?? "")")
                try await shipOurs(to: url, in: folder, pageSize: 4096, environment: server.environment)
            }
        }
    }

    @Test(
        "What Litestream ships to a bucket, this program restores",
        .enabled(if: Servers.areExpected),
        arguments: [S3TestServer.Kind.moto, .gateway]
    )
    func litestreamToOursByBucket(_ kind: S3TestServer.Kind) async throws {
        try await withServer(kind) { server in
            try await withTemporaryFolder { folder in
                let url = server.url("theirs-\(folder.lastComponent?.string ?? "")")
                try await shipLitestream(to: url, in: folder, pageSize: 4096, environment: server.environment)
            }
        }
    }

    /// - Parameter checkpoints: Whether the application checkpoints by itself, which Litestream does not survive always.
    private func workload(at path: FilePath, pageSize: Int, checkpoints: Bool) throws -> RandomWorkload {
        var options = WorkloadOptions()
        if !checkpoints { options.checkpointWeight = 0 }
        (options.pageSize, options.connections, options.maximumBytes) = (pageSize, 2, max(512 << 10, 16 * pageSize))
        return try RandomWorkload(at: path, seed: UInt64(pageSize), options: options)
    }

    /// Ours ships a random history; its restore equals the source page for page, Litestream's in content.
    private func shipOurs(
        to url: String,
        in folder: FilePath,
        pageSize: Int,
        environment: [String: String?] = [:]
    ) async throws {
        let database = folder.appending("app.db")
        let workload = try workload(at: database, pageSize: pageSize, checkpoints: true)
        let ours = try Ours.replicate(
            Litestream.configuration(of: database, to: url),
            in: folder,
            environment: environment
        )
        for _ in 0..<20 { try workload.step() }
        try await waitForReplica(url, commit: 1, of: ours, environment: environment)
        for _ in 0..<30 { try workload.step() }
        try await ours.stopShipped()

        let restored = (ours: folder.appending("ours.db"), theirs: folder.appending("theirs.db"))
        try await Ours.restore(url, to: restored.ours, environment: environment)
        try await Litestream.restore(url, to: restored.theirs, environment: environment)
        let complaint = try DatabaseImage(file: restored.ours).complaint(comparedWith: workload.image())
        #expect(complaint == nil, "\(workload.summary)")
        #expect(try SQLiteFile.contentDigest(of: restored.theirs) == workload.contentDigest(), "\(workload.summary)")
    }

    /// Litestream ships a random history; the restore of ours equals the source in content.
    private func shipLitestream(
        to url: String,
        in folder: FilePath,
        pageSize: Int,
        environment: [String: String?] = [:]
    ) async throws {
        let database = folder.appending("app.db")
        let workload = try workload(at: database, pageSize: pageSize, checkpoints: false)
        let litestream = try Litestream.replicate(
            configuration: Litestream.configuration(of: database, to: url),
            in: folder,
            environment: environment
        )
        try await litestream.sync(database)
        for _ in 0..<30 { try workload.step() }
        try await litestream.sync(database)
        #expect(try await litestream.stop().isSuccess)
        let restored = folder.appending("restored.db")
        try await Ours.restore(url, to: restored, environment: environment)
        #expect(try SQLiteFile.contentDigest(of: restored) == workload.contentDigest(), "\(workload.summary)")
    }
}
