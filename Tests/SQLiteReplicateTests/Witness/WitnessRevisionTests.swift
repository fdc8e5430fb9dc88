import Cluster
import Foundation
import SQLiteReplicate
import SystemPackage
import TestDatabases
import TestSupport
import Testing

/// No tag of a cell ever comes again.
@Suite(.timeLimit(.minutes(2))) struct WitnessRevisionTests {
    /// Tags that were given, each with what it stood for.
    private struct Tags {
        private(set) var bodies: [String: String] = [:]

        mutating func add(_ tag: String, _ body: String) {
            #expect(bodies[tag] == nil, "\(tag) stood for \(bodies[tag] ?? "") and stands for \(body)")
            bodies[tag] = body
        }
    }

    @Test("The same bytes again are another revision, and the old tag does not come back with them")
    func backAgain() async throws {
        try await withWitness { url in
            var tags = Tags()
            var tag = try await written(cell(url), "a")
            tags.add(tag, "a")
            let first = tag
            for body in ["b", "a", "b", "a", "a"] {
                tag = try await written(cell(url), body, replacing: tag)
                tags.add(tag, body)
                #expect(try await put(cell(url), "c", replacing: first).status == 412)
            }
            #expect(try await send("GET", cell(url)).header("etag") == tag)
        }
    }

    @Test("A tag stands for its body across restarts, and none is given twice")
    func restarts() async throws {
        try await withTemporaryFolder { folder in
            var tags = Tags()
            var last: String?
            for round in 0..<4 {
                last = try await withWitness(.at(folder)) { url in
                    if let last { #expect(try await send("GET", cell(url)).header("etag") == last) }
                    var tag = last
                    for step in 0..<3 { tag = try await written(cell(url), "\(round).\(step)", replacing: tag) }
                    return tag
                }
                tags.add(try #require(last), "\(round)")
            }
        }
    }

    @Test("After an older copy of the file was put back no tag is given that was given before")
    func olderCopy() async throws {
        try await withTemporaryFolder { folder in
            let settings = WitnessSettings.at(folder)
            var tags = Tags()
            let kept = try await withWitness(settings) { url in try await written(cell(url), "kept") }
            tags.add(kept, "kept")
            let copy = folder.appending("copy.db")
            try FileManager.default.copyItem(atPath: settings.data.string, toPath: copy.string)
            let forgotten = try await withWitness(settings) { url in
                var (tag, given) = (kept, [String]())
                for step in 0..<5 {
                    tag = try await written(cell(url), "forgotten \(step)", replacing: tag)
                    given.append(tag)
                }
                return given
            }
            for tag in forgotten { tags.add(tag, "forgotten") }
            try FileManager.default.removeItem(atPath: settings.data.string)
            try FileManager.default.moveItem(atPath: copy.string, toPath: settings.data.string)
            try await withWitness(settings) { url in
                #expect(try await send("GET", cell(url)).header("etag") == kept)
                var tag = kept
                for step in 0..<5 {
                    tag = try await written(cell(url), "forgotten \(step)", replacing: tag)
                    tags.add(tag, "again \(step)")
                    // Who has the tag of the same number from before is not mistaken for somebody who saw this one.
                    for old in forgotten { #expect(try await put(cell(url), "x", replacing: old).status == 412) }
                }
            }
        }
    }

    @Test("A body, or a counter, that somebody edits in the file has another tag; so has a file that was begun anew")
    func edited() async throws {
        try await withTemporaryFolder { folder in
            let settings = WitnessSettings.at(folder)
            let (first, witness) = try await withWitness(settings) { url in
                (try await written(cell(url), "one"), try await WitnessClient(url: url).list().witness)
            }
            func edit(_ sql: String) throws {
                let file = try SQLiteFile(settings.data, .init(creates: false))
                try file.execute(sql)
                file.close()
            }
            try edit("UPDATE cells SET body = CAST('two' AS BLOB)")
            try await withWitness(settings) { url in
                let read = try await send("GET", cell(url))
                #expect(read.body == "two" && read.header("etag") != first)
                #expect(try await put(cell(url), "x", replacing: first).status == 412)
            }
            try edit("UPDATE cells SET body = CAST('one' AS BLOB); UPDATE state SET revision = 0")
            let later = try await withWitness(settings) { url in
                #expect(try await send("GET", cell(url)).header("etag") == first)
                let tag = try await written(cell(url), "one", replacing: first)
                #expect(tag != first)
                return tag
            }
            // Values of other types are told, and end nothing.
            try edit("UPDATE cells SET nonce = 'x'")
            try await withWitness(settings) { url in
                let read = try await send("GET", cell(url))
                #expect(read.status == 503 && read.body.contains("'nonce' of a cell"), "\(read.body)")
                #expect(try await put(cell(url), "x", replacing: later).status == 503)
                #expect(try await send("GET", url + "/v1/cells").status == 503)
            }
            try FileManager.default.removeItem(atPath: settings.data.string)
            try await withWitness(settings) { url in
                let tag = try await written(cell(url), "one")
                #expect(tag != first && tag != later)
                #expect(try await WitnessClient(url: url).list().witness != witness)
            }
        }
    }
}
