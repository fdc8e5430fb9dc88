import Foundation
import SystemPackage
import TestSupport

/// Runs the program as a user with no rights, from a place where that user can reach it.
enum Unprivileged {
    /// Whether this process may do that: only root can.
    static var isPossible: Bool { ProcessInfo.processInfo.userName == "root" }

    /// Runs the program as `nobody`; as this user where that is not root, whose rights end at modes anyway.
    ///
    /// - Parameter folder: Is opened to all, so that only the modes of the files in it decide.
    static func run(_ arguments: [String], in folder: FilePath) async throws -> ChildProcess.Result {
        guard isPossible else { return try await Ours.run(arguments) }
        try FileManager.default.setAttributes([.posixPermissions: 0o777], ofItemAtPath: folder.string)
        // The build folder may lie where nobody else may look.
        let program = folder.appending("sqlite-replicate")
        if !FileManager.default.fileExists(atPath: program.string) {
            // By a program: a file that is open for writing here, at a moment when another child begins, is "busy".
            try await ChildProcess.run("install", ["-m", "755", try Ours.executable.string, program.string]).checked()
        }
        let (executable, arguments) = ChildProcess.unprivileged(program, arguments)
        return try await ChildProcess.run(executable, arguments, environment: Ours.environment)
    }
}
