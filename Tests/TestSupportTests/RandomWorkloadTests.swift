import SystemPackage
import TestDatabases
import TestSupport
import Testing

@Suite("Random workloads", .timeLimit(.minutes(5)))
struct RandomWorkloadTests {
    @Test("The same seed gives the same database after every step, another seed another")
    func repeatable() async throws {
        try await withTemporaryFolder { folder in
            func digests(_ name: String, seed: UInt64) throws -> [String] {
                let workload = try RandomWorkload(at: folder.appending(name), seed: seed)
                return try (0..<40).map { _ in
                    try workload.step()
                    return try workload.image().digest
                }
            }
            let first = try digests("a.db", seed: 11)
            #expect(try digests("b.db", seed: 11) == first)
            #expect(try digests("c.db", seed: 12) != first)
            #expect(Set(first).count > 10)
        }
    }

    @Test("Every history leaves a sound database whose image is the file after a whole checkpoint")
    func sound() async throws {
        var (kinds, pageSizes) = (Set<RandomWorkload.Kind>(), Set<Int>())
        for seed in try SeedRange.from("WORKLOAD_SEEDS", standard: 0...39) {
            try await withTemporaryFolder { folder in
                let path = folder.appending("app.db")
                let workload = try RandomWorkload(at: path, seed: seed)
                for _ in 0..<60 {
                    let before = workload.commitNumber
                    let step = try workload.step()
                    #expect(step.commitNumber >= before && (step.committed || step.commitNumber == before))
                    kinds.insert(step.kind)
                }
                pageSizes.insert(workload.options.pageSize)
                let image = try workload.image()
                #expect(image.bytes.count < 16 << 20, "\(workload.summary)")
                let content = try workload.contentDigest()
                workload.close()
                #expect(try DatabaseImage(file: path).complaint(comparedWith: image) == nil, "\(workload.summary)")
                #expect(try SQLiteFile.contentDigest(of: path) == content, "\(workload.summary)")
                #expect(try RandomWorkload.commitNumber(of: path) == workload.commitNumber)
            }
        }
        #expect(kinds == Set(RandomWorkload.Kind.allCases))
        #expect(pageSizes == Set(WorkloadOptions.pageSizes))
    }

    @Test("A page that differs, and a page too many, are named")
    func differences() {
        let image = DatabaseImage(pageSize: 512, bytes: [UInt8](repeating: 1, count: 2048))
        var bytes = image.bytes
        bytes[600] = 2
        let other = DatabaseImage(pageSize: 512, bytes: bytes + [UInt8](repeating: 0, count: 512))
        #expect(image.differences(from: other) == [2, 5])
        #expect(image.differences(from: image).isEmpty)
        #expect(other.complaint(comparedWith: image)?.contains("2, 5") == true)
    }

    @Test("Applications of every kind, in processes of their own, share a database and never fail to write")
    func processes() async throws {
        try await withTemporaryFolder { folder in
            let database = folder.appending("app.db")
            let program = try BuiltProduct.path(of: "workload")
            let kinds = ["writer", "writer", "plain", "opener", "checkpointer", "reader", "vacuum"]
            let children = try kinds.enumerated().map { index, kind in
                try ChildProcess(program, [database.string, kind, "\(index)", kind == "vacuum" ? "5" : "200"])
            }
            for child in children { try await child.waitForOutput(containing: "ready") }
            try await children[2].kill()
            for child in children where child.exit == nil {
                let exit = try await child.terminate()
                #expect(exit.isSuccess && child.standardOutput.contains("failures=0"), "\(child.outputForMessages)")
            }
            #expect(try SQLiteFile(database).integrityCheck() == "ok")
            #expect(try RandomWorkload.commitNumber(of: database) > 0)
        }
    }
}
