import Foundation
public import SystemPackage
import TestSupport

/// What a node's application noted outside of its database: which rows it committed, and which it was told are
/// replicated.
///
///     committed N SUM NODE EPOCH ASKED DONE   the commit returned at DONE; its gate was asked after ASKED
///     replicated N SUM ASKED DONE             the wait for the store returned at DONE
///
/// Times are nanoseconds since the boot of the host that all nodes share.
public struct ProofJournal: Sendable {
    /// A commit that returned.
    public struct Commit: Hashable, Sendable {
        public var n: Int64
        public var sum: String
        public var node: String
        public var epoch: Int64
        /// Just before the gate was asked.
        public var asked: Int64
        /// Just after the commit had returned.
        public var done: Int64
    }

    /// A row that was acknowledged as replicated.
    public struct Acknowledgement: Hashable, Sendable {
        public var n: Int64
        public var sum: String
        public var asked: Int64
        public var done: Int64
    }

    /// The file's name, for messages.
    public var name: String
    /// In the order in which they were noted.
    public var commits: [Commit] = []
    /// In the order in which they were noted.
    public var acknowledgements: [Acknowledgement] = []

    /// Reads a journal; a last line without an end was being written when its process died, and is left out.
    ///
    /// - Throws: ``TestSupportError`` where another line cannot be read.
    public init(_ file: FilePath) throws {
        try self.init(
            name: file.lastComponent?.string ?? "",
            text: String(contentsOfFile: file.string, encoding: .utf8)
        )
    }

    /// Reads the text of a journal.
    public init(name: String, text: String) throws {
        self.name = name
        for line in text.split(separator: "\n", omittingEmptySubsequences: false).dropLast() {
            let words = line.split(separator: " ").map(String.init)
            func number(_ index: Int) throws -> Int64 {
                guard let number = Int64(words[index]) else {
                    throw TestSupportError("\(name): '\(words[index])' in '\(line)' is no number.")
                }
                return number
            }
            switch (words.first, words.count) {
            case ("committed", 7):
                commits.append(
                    Commit(
                        n: try number(1),
                        sum: words[2],
                        node: words[3],
                        epoch: try number(4),
                        asked: try number(5),
                        done: try number(6)
                    )
                )
            case ("replicated", 5):
                acknowledgements.append(
                    Acknowledgement(n: try number(1), sum: words[2], asked: try number(3), done: try number(4))
                )
            default: throw TestSupportError("\(name): '\(line)' is no line of a journal.")
            }
        }
    }
}

/// Appends to a journal; any thread may.
public final class ProofJournalWriter: Sendable {
    private let file: FileDescriptor

    /// Opens a journal, or goes on with it.
    public init(_ path: FilePath) throws {
        file = try FileDescriptor.open(
            path,
            .writeOnly,
            options: [.create, .append, .closeOnExec],
            permissions: [.ownerReadWrite]
        )
    }

    deinit { try? file.close() }  // Each line was written whole.

    /// Notes a commit.
    public func committed(_ row: ProofRow, asked: Int64, done: Int64) throws {
        try append("committed \(row.n) \(row.hexadecimalSum) \(row.node) \(row.epoch) \(asked) \(done)")
    }

    /// Notes that the store holds a row.
    public func replicated(_ row: ProofRow, asked: Int64, done: Int64) throws {
        try append("replicated \(row.n) \(row.hexadecimalSum) \(asked) \(done)")
    }

    /// One write for one line, so that lines of several threads do not mix, and a killed process leaves whole ones.
    private func append(_ line: String) throws { _ = try file.writeAll((line + "\n").utf8) }
}
