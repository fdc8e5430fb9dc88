import Foundation
public import SystemPackage

/// Where the package lies on disk; found from this source file, so it needs no working directory.
public enum PackageRoot {
    /// The folder that holds `Package.swift`.
    public static let path: FilePath = {
        // .../Tests/TestSupport/PackageRoot.swift; the folder may have been reached by a link.
        var path = FilePath(URL(filePath: #filePath).resolvingSymlinksInPath().path)
        for _ in 0..<3 { path.removeLastComponent() }
        return path
    }()

    /// A file or folder of the package.
    public static func appending(_ relative: String) -> FilePath { path.appending(relative) }
}

/// The folder of papers and fixtures that lies beside a development checkout, where there is one.
public enum Shared {
    /// The folder itself, whether or not it exists.
    public static let path = PackageRoot.path.removingLastComponent().appending("shared")

    /// Whether the folder lies beside this checkout; tests that need it are enabled by this.
    public static var isThere: Bool { FileManager.default.fileExists(atPath: path.string) }

    /// A file or folder in it.
    ///
    /// - Throws: ``TestSupportError`` naming the path, where it is missing.
    public static func appending(_ relative: String) throws -> FilePath {
        let found = path.appending(relative)
        guard FileManager.default.fileExists(atPath: found.string) else {
            throw TestSupportError("'\(found)' is missing: this test reads the folder 'shared' beside the checkout.")
        }
        return found
    }
}

/// The programs that were built together with the running tests.
public enum BuiltProduct {
    /// The path of a built executable of this package.
    ///
    /// - Parameter name: The target's name, such as `sqlite-replicate` or `workload`. The test target must depend on
    ///   that target, or it may be missing or old.
    /// - Throws: ``TestSupportError`` where no such file was built.
    public static func path(of name: String) throws -> FilePath {
        let tests = FilePath(ProcessInfo.processInfo.arguments[0]).removingLastComponent()
        let folders = [runningExecutable?.removingLastComponent(), tests, PackageRoot.appending(".build/debug")]
        for folder in folders.compactMap(\.self) {
            let candidate = folder.appending(name)
            if FileManager.default.isExecutableFile(atPath: candidate.string) { return candidate }
        }
        throw TestSupportError("The program '\(name)' was not built: make the test target depend on it.")
    }

    private static var runningExecutable: FilePath? {
        guard let path = try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe") else {
            return nil  // Not Linux: the path of the test bundle is tried instead.
        }
        return FilePath(path)
    }
}
