import Foundation
import TestDatabases
import TestSupport
import Testing

#if canImport(Darwin)
    import Darwin
#elseif canImport(Glibc)
    import Glibc
#endif

extension ProcessTests {
    @Suite("Takeovers while levels are merged and old files dropped", .timeLimit(.minutes(60))) struct LifeTests {
        @Test("Litestream restores the bucket after several takeovers, equal to the newest primary")
        func litestream() async throws {
            let options = ["levels-ms=1000,3000", "snapshots-ms=5000", "retention-ms=2000"]
            try await ProcessCluster.run("life", options: options) { cluster in
                cluster.takesOutTails = false
                for round in 1...min(max(ProcessCluster.rounds, 2), 10) {
                    let (primary, standby) = try await cluster.settle()
                    try await work(on: primary, rows: 300)
                    let (epoch, mark) = (try await primary.status().number("epoch"), standby.mark)
                    switch round % 3 {
                    case 0: _ = try await primary.command("switchover \(standby.name)")
                    case 1: try await primary.kill()
                    default: primary.signal(SIGTERM)
                    }
                    try await cluster.waitForWrite(on: standby, above: epoch, after: mark)
                    if round % 3 != 0 {
                        _ = try await primary.process?.waitForExit(within: .seconds(30))
                        try primary.start()
                    }
                    let check = try await cluster.prove()
                    for node in cluster.nodes { _ = try await node.command("write on") }
                    print("round \(round): \(check.rows) rows")
                }
                let left = try await cluster.server.python(
                    """
                    keys = [o['Key'] for p in s3.get_paginator('list_objects_v2').paginate(Bucket=bucket, \
                    Prefix='\(cluster.prefix)/') for o in p.get('Contents', [])]
                    print(*[sum('/%04x/' % level in key for key in keys) for level in range(10)])
                    """
                )
                print("files by level: \(left)")
                let counts = left.split(whereSeparator: \.isWhitespace).compactMap { Int($0) }
                #expect(counts.count == 10 && counts[1] > 0 && counts[9] > 0, "\(left)")
                // Files of level 0 were dropped: far fewer are left than were written.
                let written = try await cluster.primary().status()["position"].flatMap { Int($0, radix: 16) } ?? 0
                #expect(counts[0] < written, "\(counts) of \(written)")
            }
        }
    }
}
