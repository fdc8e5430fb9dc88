import Replication
import SystemPackage

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// Which node this is, and what it must not forget: the content of `cluster.json` (failover-review N1, D).
package struct NodeIdentity: Hashable, Sendable {
    /// The cluster that it has taken part in; `nil` before the first one.
    package var cluster: ClusterID?
    /// The node.
    package let node: NodeID
    /// The machine that it belongs to.
    package let machine: String
    /// What it knows from before.
    package var memory: NodeMemory
    /// Where its metadata folder lies, and which file that is: a copy elsewhere is another node.
    let folder: FolderMark
    /// What a later version of this program has added: it is carried along.
    var other: [String: JSONValue] = [:]

    /// A folder as its node knows it. A renamed one keeps its number, one that is mounted anew keeps its path.
    struct FolderMark: Hashable, Sendable {
        var path: String
        var inode: UInt64

        func isSame(as other: Self) -> Bool { path == other.path || inode == other.inode }
    }

    /// A new node of the machine that `place` is on.
    static func new(at place: Place, cluster: ClusterID? = nil) -> NodeIdentity {
        NodeIdentity(
            cluster: cluster,
            node: NodeID(rawValue: .random(in: 1 ... .max)),
            machine: place.machine,
            memory: NodeMemory(),
            folder: place.folder
        )
    }

    /// Whether this is the node of that place, and not one whose folder was copied there.
    func belongs(to place: Place) -> Bool { machine == place.machine && folder.isSame(as: place.folder) }

    /// Where a node is.
    struct Place: Hashable, Sendable {
        var machine: String
        var folder: FolderMark
    }
}

/// Which machine this is.
package enum Machine {
    /// The machine's own id; its name where it has none, as in many containers. Not secret, but long-lived.
    package static var id: String {
        let text = (try? Disk.contents(of: "/etc/machine-id", limit: 256)) ?? nil
        let id = text.map { String(decoding: $0, as: UTF8.self).filter { $0.isHexDigit } } ?? ""
        return id.isEmpty ? "host \(hostName)" : id
    }

    /// The name of this host; empty where it has none.
    package static var hostName: String {
        var name = [CChar](repeating: 0, count: 257)
        // SAFETY: the length leaves the last byte, which stays 0.
        guard unsafe gethostname(&name, name.count - 1) == 0 else { return "" }
        return String(decoding: name.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
    }
}
