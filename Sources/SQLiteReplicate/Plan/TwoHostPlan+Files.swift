import ObjectStorage
import Replication
public import SystemPackage

extension TwoHostPlan {
    /// The configuration file of node `a`.
    public var fileA: String { file("a", a, own: ("A", a.store, storeA), peer: ("B", b.store, storeB)) }
    /// The configuration file of node `b`.
    public var fileB: String { file("b", b, own: ("B", b.store, storeB), peer: ("A", a.store, storeA)) }

    /// The environment variables that the files need, on both hosts, with what they are for.
    public var variables: [(name: String, meaning: String)] {
        var variables = [("CLUSTER_TOKEN", "a word that both nodes know, such as 'openssl rand -hex 32' makes")]
        if case .server? = witnessPlace { variables.append(("WITNESS_TOKEN", "what the witness was started with")) }
        for (name, store) in [("A", storeA), ("B", storeB)] where store.type == .s3 {
            variables.append(("STORE_\(name)_ACCESS_KEY_ID", "the credentials of the store on \(name.lowercased())"))
            variables.append(("STORE_\(name)_SECRET_ACCESS_KEY", "the same"))
        }
        if case .store(let store)? = witnessPlace, store.type == .s3 {
            variables.append(("WITNESS_ACCESS_KEY_ID", "the credentials of the store that is the witness"))
            variables.append(("WITNESS_SECRET_ACCESS_KEY", "the same"))
        }
        return variables
    }

    private typealias Store = (name: String, url: String, replica: ReplicaConfiguration)

    private func file(_ name: String, _ host: Host, own: Store, peer: Store) -> String {
        let port = host.url.split(separator: ":").last ?? "\(Self.port)"
        var lines = ["# Node \(name) of two hosts with a store each; the variables hold what is secret."]
        lines += ["dbs:", "  - path: \(Self.quoted(database.string))", "    replica:  # the store on this host"]
        lines += Self.store(own, indent: 6)
        lines += ["cluster:", "  name: \(name)"]
        lines += [
            "  listen: \(Self.quoted(":\(port)"))", "  url: \(Self.quoted(host.url))", "  token: ${CLUSTER_TOKEN}",
        ]
        lines += ["  peer-store:  # the store on the other host"] + Self.store(peer, indent: 4)
        if let witness, let witnessPlace {
            lines += ["  witness:", "    url: \(Self.quoted(witness))"]
            switch witnessPlace {
            case .server: lines.append("    token: ${WITNESS_TOKEN}")
            case .store(let replica):
                if replica.type == .s3 { lines += Self.keys("WITNESS", indent: 4) }
            }
        }
        return lines.joined(separator: "\n") + "\n"
    }

    private static func store(_ store: Store, indent: Int) -> [String] {
        let line = String(repeating: " ", count: indent) + "url: \(quoted(store.url))"
        return [line] + (store.replica.type == .s3 ? keys("STORE_\(store.name)", indent: indent) : [])
    }

    private static func keys(_ prefix: String, indent: Int) -> [String] {
        let space = String(repeating: " ", count: indent)
        return [
            "\(space)access-key-id: ${\(prefix)_ACCESS_KEY_ID}",
            "\(space)secret-access-key: ${\(prefix)_SECRET_ACCESS_KEY}",
        ]
    }

    /// A text as YAML has it between double quotes.
    private static func quoted(_ text: String) -> String {
        "\"" + text.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"") + "\""
    }

    // MARK: - Checking and writing

    /// Reads both files as a node would, with values in the place of the variables.
    ///
    /// - Returns: What their owner should know, without the place.
    /// - Throws: ``ConfigurationError`` where they cannot be used.
    public func check() throws(ConfigurationError) -> [String] {
        var environment: [String: String] = [:]
        for (name, _) in variables { environment[name] = "0123456789abcdef" }
        var words: [String] = []
        for (name, text) in [("a.yml", fileA), ("b.yml", fileB)] {
            let file = try ConfigurationFile.parse(
                Array(text.utf8),
                path: FilePath(name),
                environment: environment,
                workingDirectory: "/"
            )
            for warning in file.warnings where !words.contains(warning.message) { words.append(warning.message) }
        }
        return words
    }

    /// Writes `a.yml` and `b.yml` into a folder, which is made; neither may be there. Blocks no task.
    ///
    /// - Throws: ``ConfigurationError`` where one is there, or cannot be written. The other one may have been written.
    public func write(to folder: FilePath) async throws {
        let files = [(folder.appending("a.yml"), fileA), (folder.appending("b.yml"), fileB)]
        try await onDisk {
            try Disk.makeFolders(folder, mode: 0o755)
            for (path, _) in files where Commands.exists(path) { throw Self.isThere(path) }
            for (path, text) in files { try Self.create(path, text) }
            try Disk.syncFolder(folder)
        }
    }

    private static func create(_ path: FilePath, _ text: String) throws {
        let random = String(UInt64.random(in: .min ... .max), radix: 36)
        let temporary = FilePath("\(path)-\(random).tmp")
        try Disk.replace(temporary, with: Array(text.utf8), mode: 0o640, durable: true)
        do throws(Errno) {
            try OpenFile.rename(temporary, toUnused: path)
        } catch {
            try? Disk.remove(temporary)  // a few bytes under a name that is never used again
            guard error == .fileExists else { throw FileFailure("creating", path, error.rawValue) }
            throw isThere(path)
        }
    }

    private static func isThere(_ path: FilePath) -> ConfigurationError {
        ConfigurationError(.conflict, "\(path) is there already: nothing is written over; name another folder with -o")
    }
}
