public import SystemPackage

/// A pair of access keys, with the session token of temporary ones.
///
/// Printing them shows the access key's id alone.
public struct S3Credentials: Hashable, Sendable, CustomStringConvertible, CustomDebugStringConvertible,
    CustomReflectable
{
    /// The public half, which the server knows the secret by.
    public var accessKeyID: String
    /// The secret half, which never leaves this process.
    public var secretAccessKey: String
    /// The token that temporary keys come with.
    public var sessionToken: String?

    /// Takes a pair of keys.
    public init(accessKeyID: String, secretAccessKey: String, sessionToken: String? = nil) {
        (self.accessKeyID, self.secretAccessKey, self.sessionToken) = (accessKeyID, secretAccessKey, sessionToken)
    }

    public var description: String { "S3Credentials(accessKeyID: \(accessKeyID))" }
    public var debugDescription: String { description }
    public var customMirror: Mirror { Mirror(self, children: ["accessKeyID": accessKeyID]) }
}

/// Where access keys come from.
public enum S3CredentialsSource: Hashable, Sendable {
    /// These.
    case keys(S3Credentials)
    /// `AWS_ACCESS_KEY_ID`, `AWS_SECRET_ACCESS_KEY` and `AWS_SESSION_TOKEN`, or the first two with `LITESTREAM_` in
    /// place of `AWS_`; else the profile `AWS_PROFILE` (or `default`) of `AWS_SHARED_CREDENTIALS_FILE`
    /// (or `~/.aws/credentials`).
    case environment
    /// A profile of a shared credentials file; read again when the server no longer takes the keys read before.
    case sharedFile(FilePath, profile: String)
}
