import LTX
import Replication

/// What the files of a replica tell a cluster that begins there, or begins anew: how far they lead, and in which epochs
/// they were written.
struct ChainSurvey: Hashable, Sendable {
    /// The highest transaction at any level; the checksum is 0 where its file does not tell it.
    var end: ChainPoint
    /// The highest epoch in a mark; 0 where no file has one.
    var epoch: Epoch
    /// The highest transaction whose level-0 file has no mark of ours, or is no transaction file; `nil` where none was seen.
    var foreign: UInt64?
    /// The size of the database's pages in bytes, as the newest file tells; `nil` where there is none.
    var pageSize: Int?
    /// What is wrong with a file whose header cannot be read; `nil` where all can be.
    var damage: String?

    /// So many files of level 0 are looked at: the newest. Epochs only grow along the chain.
    static let depth = 32
    /// So many headers are read at a time.
    private static let width = 16

    /// Lists all files, and reads the headers of the newest ones.
    ///
    /// - Parameter depth: How many of level 0 are looked at.
    init(of replica: Replica, depth: Int = Self.depth) async throws(ReplicaError) {
        let listing = try await replica.list()
        var files = listing[0].suffix(depth).map(\.self)
        for level in 1...ReplicaLayout.snapshotLevel {
            if let newest = listing[level].max(by: { $0.max < $1.max }) { files.append(newest) }
        }
        let (headers, damaged) = try await Self.headers(of: files, in: replica)
        end = ChainPoint(number: listing.highest?.rawValue ?? 0, checksum: 0)
        epoch = .zero
        pageSize = headers.max { $0.0.max < $1.0.max }?.1.pageSize
        for (file, header) in headers {
            if let mark = header.sourceMark {
                epoch = max(epoch, Epoch(rawValue: mark.epoch))
                if file.max.rawValue == end.number { end.checksum = mark.checksum }
            } else if file.level == 0 {
                foreign = max(foreign ?? 0, file.max.rawValue)
            }
        }
        for (file, error) in damaged {
            damage = damage ?? error.message
            if file.level == 0 { foreign = max(foreign ?? 0, file.max.rawValue) }
        }
    }

    private static func headers(
        of files: [ReplicaFile],
        in replica: Replica
    ) async throws(ReplicaError) -> (headers: [(ReplicaFile, LTXHeader)], damaged: [(ReplicaFile, ReplicaError)]) {
        let results = await withTaskGroup(of: (ReplicaFile, Result<LTXHeader, ReplicaError>).self) { group in
            var results: [(ReplicaFile, Result<LTXHeader, ReplicaError>)] = []
            for (index, file) in files.enumerated() {
                if index >= Self.width, let result = await group.next() { results.append(result) }
                group.addTask {
                    do throws(ReplicaError) {
                        return (file, .success(try await replica.header(of: file)))
                    } catch {
                        return (file, .failure(error))
                    }
                }
            }
            for await result in group { results.append(result) }
            return results
        }
        var headers: [(ReplicaFile, LTXHeader)] = []
        var damaged: [(ReplicaFile, ReplicaError)] = []
        for (file, result) in results {
            switch result {
            case .success(let header): headers.append((file, header))
            case .failure(let error):
                switch error.code {
                case .damaged: damaged.append((file, error))
                case .changing: break  // merged and deleted meanwhile
                default: throw error
                }
            }
        }
        return (headers, damaged)
    }
}
