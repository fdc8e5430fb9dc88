import Foundation
import Replication
import SystemPackage

#if canImport(Darwin)
    import Darwin
#elseif canImport(Glibc)
    import Glibc
#endif

/// A follower in a process of its own: it commits images from a file, and may be killed at a step of it.
///
///     engine-host DB role=follower images=FILE size=PAGES [kill-at=STEP]
///
/// The file holds, for each page, its number in four bytes, little-endian, and its image.
enum HostFollower {
    static func run(_ path: FilePath, _ arguments: [String]) throws {
        func value(_ key: String) -> String? {
            arguments.first { $0.hasPrefix(key + "=") }.map { String($0.dropFirst(key.count + 1)) }
        }
        guard let file = value("images"), let size = value("size").flatMap({ UInt32($0) }) else {
            throw HostError(text: "images= and size= are needed")
        }
        let follower = try FollowedDatabase(path)
        if let name = value("kill-at") {
            follower.onStep = { step in
                if step.rawValue == name { kill(getpid(), SIGKILL) }
            }
        }
        while try !follower.lock() { usleep(1_000) }
        let bytes = [UInt8](try Data(contentsOf: URL(filePath: file)))
        let length = 4 + follower.pageSize
        try follower.commit(size) { images in
            for start in stride(from: 0, to: bytes.count, by: length) {
                let page = (0..<4).reduce(UInt32(0)) { $0 | UInt32(bytes[start + $1]) << UInt32(8 * $1) }
                let image = Array(bytes[start + 4..<start + length])
                try unsafe images.append(page: page, image: image.span.bytes)
            }
        }
        try follower.unlock()
        if Int.random(in: 0..<5) == 0 { try follower.checkpoint() }
    }

    private struct HostError: Error {
        let text: String
    }
}
