import SystemPackage

extension FolderStore {
    /// How the names of files end that are not objects.
    static let temporarySuffix = ".tmp"

    /// The file of an object.
    ///
    /// - Throws: code `invalidRequest` for a key that would leave the root, or that no listing would show.
    func path(of key: String) throws(ObjectStoreError) -> FilePath {
        try check(key, components: key.utf8.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false))
        guard !key.hasSuffix(Self.temporarySuffix) else {
            throw invalid(key, "ends in '\(Self.temporarySuffix)', which is kept for unfinished files")
        }
        return FilePath(root.string + "/" + key)
    }

    /// Splits a prefix into the folder that all its objects lie in and the beginning of their names there.
    func folder(ofPrefix prefix: String) throws(ObjectStoreError) -> (key: String, path: FilePath) {
        guard let slash = prefix.utf8.lastIndex(of: UInt8(ascii: "/")) else {
            try check(prefix, components: [])
            return ("", root)
        }
        let key = String(prefix[..<slash])
        try check(key, components: key.utf8.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false))
        return (key + "/", FilePath(root.string + "/" + key))
    }

    private func check(_ key: String, components: [Substring.UTF8View]) throws(ObjectStoreError) {
        guard !key.utf8.contains(0) else { throw invalid(key, "contains a zero byte") }
        for component in components {
            guard !component.isEmpty else { throw invalid(key, "has an empty component") }
            guard !component.elementsEqual(".".utf8), !component.elementsEqual("..".utf8) else {
                throw invalid(key, "has a component '\(String(component) ?? "")'")
            }
        }
    }

    private func invalid(_ key: String, _ fact: String) -> ObjectStoreError {
        ObjectStoreError(.invalidRequest, "The key '\(key)' \(fact), so it cannot be a file below '\(root)'.")
    }
}
