import Foundation
import SystemPackage
import TestDatabases
import TestSupport
import Testing

#if canImport(Darwin)
    import Darwin
#elseif canImport(Glibc)
    import Glibc
#endif

/// What happens to hosts that have a store each.
extension ProcessCluster {
    /// Cuts the two hosts off from each other, or connects them again.
    func cutLink(_ cut: FaultProxy.Cut) {
        for node in nodes {
            node.peerStore?.cut(cut)
            node.entrance.cut(cut)
        }
    }

    /// Takes the witness away from both, or gives it back.
    func cutWitness(_ cut: FaultProxy.Cut) { for node in nodes { node.witness?.cut(cut) } }

    /// A host goes, with its node and its store: at once, as by its power switch. Its disks stay.
    func take(away node: HostedNode) async throws {
        // Whoever asks gets no answer: a host that is gone refuses nothing.
        other(than: node).peerStore?.cut(.silent)
        node.entrance.cut(.silent)
        server(of: node).process.signal(SIGSTOP)
        try await node.kill()
    }

    /// It comes back as it was; its node is started.
    func giveBack(_ node: HostedNode) throws {
        server(of: node).process.signal(SIGCONT)
        other(than: node).peerStore?.cut(.none)
        node.entrance.cut(.none)
        try node.start()
    }

    /// Keeps what lies in a host's store, under a name.
    func keepStore(of node: HostedNode, as name: String) async throws {
        try await server(of: node).python(
            """
            import pickle
            pages = s3.get_paginator('list_objects_v2').paginate(Bucket=bucket, Prefix='\(prefix)/')
            keys = [o['Key'] for page in pages for o in page.get('Contents', [])]
            got = {key: s3.get_object(Bucket=bucket, Key=key) for key in keys}
            kept = {key: (o['Body'].read(), o['Metadata']) for key, o in got.items()}
            pickle.dump(kept, open('\(folder.appending(name))', 'wb'))
            """
        )
    }

    /// Puts a host's store back to what was kept: its disk went back.
    func rollBack(_ node: HostedNode, to name: String) async throws {
        try await server(of: node).python(
            """
            import pickle
            kept = pickle.load(open('\(folder.appending(name))', 'rb'))
            pages = s3.get_paginator('list_objects_v2').paginate(Bucket=bucket, Prefix='\(prefix)/')
            for key in [o['Key'] for page in pages for o in page.get('Contents', [])]:
                if key not in kept: s3.delete_object(Bucket=bucket, Key=key)
            for key, (body, metadata) in kept.items():
                s3.put_object(Bucket=bucket, Key=key, Body=body, Metadata=metadata)
            """
        )
    }

    /// Litestream restores from the store of the host that writes, to which the other one shipped: an earlier state of the
    /// same history.
    func proveOlder(_ server: S3TestServer, than newest: FilePath) async throws {
        // Nobody may ever have shipped to it.
        let count = try await server.python(
            "print(s3.list_objects_v2(Bucket=bucket, Prefix='\(prefix)/ltx/').get('KeyCount', 0))"
        )
        guard count.trimmingCharacters(in: .whitespacesAndNewlines) != "0" else { return }
        let path = folder.appending("older-\(UInt32.random(in: .min ... .max)).db")
        try await Litestream.restore(server.url(prefix), to: path, environment: server.environment)
        let (old, new) = (try rows(path), try rows(newest))
        #expect(old.isSubset(of: new), "\(old.subtracting(new).count) rows of the older state are not in the newer one")
    }

    private func rows(_ path: FilePath) throws -> Set<String> {
        let file = try SQLiteFile(path, .init(creates: false))
        defer { file.close() }
        return Set(try file.query("SELECT n || ' ' || hex(sum) FROM proof").compactMap { $0[0].text })
    }
}
