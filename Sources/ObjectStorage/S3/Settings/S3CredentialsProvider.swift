import NIOPosix
import Synchronization
import SystemPackage

/// Finds access keys where a ``S3CredentialsSource`` says, and keeps them until a server no longer takes them.
final class S3CredentialsProvider: Sendable {
    private let source: S3CredentialsSource
    private let environment: ProcessEnvironment
    private let kept = Mutex<S3Credentials?>(nil)

    init(_ source: S3CredentialsSource, environment: ProcessEnvironment) {
        (self.source, self.environment) = (source, environment)
    }

    /// The access keys.
    ///
    /// - Throws: code `accessDenied`, with where to put them, if there are none.
    func credentials(_ threadPool: NIOThreadPool) async throws(ObjectStoreError) -> S3Credentials {
        if case .keys(let credentials) = source { return credentials }
        if let kept = kept.withLock(\.self) { return kept }
        let found = try await threadPool.run { () throws(ObjectStoreError) in try self.find() }
        kept.withLock { $0 = found }
        return found
    }

    /// Looks again, after a server did not take these keys.
    ///
    /// - Returns: Whether there are others by now.
    func refresh(after refused: S3Credentials, _ threadPool: NIOThreadPool) async -> Bool {
        // An error shows up when the keys are asked for again.
        let found = try? await threadPool.run { () throws(ObjectStoreError) in try self.find() }
        guard let found, found != refused else { return false }
        kept.withLock { $0 = found }
        return true
    }

    /// Blocks: it reads a small file.
    private func find() throws(ObjectStoreError) -> S3Credentials {
        switch source {
        case .keys(let credentials):
            return credentials
        case .sharedFile(let path, let profile):
            guard let found = try SharedCredentialsFile(path).credentials(profile: profile) else {
                throw ObjectStoreError(
                    .accessDenied,
                    "'\(path)' has no profile '\(profile)' with aws_access_key_id and aws_secret_access_key."
                )
            }
            return found
        case .environment:
            if let found = keysOfEnvironment() { return found }
            let profile = environment["AWS_PROFILE"] ?? "default"
            if let path = sharedFile, (try? path.stat()) != nil,
                let found = try SharedCredentialsFile(path).credentials(profile: profile)
            {
                return found
            }
            throw ObjectStoreError(
                .accessDenied,
                "There are no access keys for S3: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or access-key-id "
                    + "and secret-access-key in the configuration, or the profile '\(profile)' in "
                    + "'\(sharedFile?.string ?? "~/.aws/credentials")'."
            )
        }
    }

    private func keysOfEnvironment() -> S3Credentials? {
        // Each falls back by itself, as Litestream copies them.
        guard let id = environment["AWS_ACCESS_KEY_ID"] ?? environment["LITESTREAM_ACCESS_KEY_ID"],
            let secret = environment["AWS_SECRET_ACCESS_KEY"] ?? environment["LITESTREAM_SECRET_ACCESS_KEY"]
        else { return nil }
        return S3Credentials(accessKeyID: id, secretAccessKey: secret, sessionToken: environment["AWS_SESSION_TOKEN"])
    }

    private var sharedFile: FilePath? {
        if let path = environment["AWS_SHARED_CREDENTIALS_FILE"] { return FilePath(path) }
        return environment["HOME"].map { FilePath($0).appending(".aws/credentials") }
    }
}
