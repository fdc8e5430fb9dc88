import NIOCore
import SystemPackage

/// The credentials file that command lines and libraries of Amazon share: sections of `name = value` lines.
struct SharedCredentialsFile {
    private var profiles: [String: [String: String]] = [:]

    /// Reads a file. Blocks.
    init(_ path: FilePath) throws(ObjectStoreError) {
        let content: ByteBuffer
        do throws(Errno) {
            content = try OpenFile.reading(path).read(byteCount: 1 << 20, at: 0)
        } catch {
            throw .file("Reading", path, error)
        }
        self.init(text: String(buffer: content))
    }

    init(text: String) {
        var profile = ""
        for line in text.split(whereSeparator: \.isNewline).map(Self.trimmed) {
            if line.hasPrefix("#") || line.hasPrefix(";") { continue }
            if line.hasPrefix("["), line.hasSuffix("]") {
                profile = Self.trimmed(line.dropFirst().dropLast())
                // Files of the other kind, `config`, say `[profile NAME]`.
                if profile.hasPrefix("profile ") { profile = Self.trimmed(profile.dropFirst(8)) }
            } else if let equals = line.firstIndex(of: "=") {
                let name = Self.trimmed(line[..<equals]).lowercased()
                profiles[profile, default: [:]][name] = Self.trimmed(line[line.index(after: equals)...])
            }
        }
    }

    /// The keys of a profile; `nil` unless it has both.
    func credentials(profile: String) -> S3Credentials? {
        guard let values = profiles[profile], let id = values["aws_access_key_id"],
            let secret = values["aws_secret_access_key"]
        else { return nil }
        return S3Credentials(accessKeyID: id, secretAccessKey: secret, sessionToken: values["aws_session_token"])
    }

    private static func trimmed(_ text: some StringProtocol) -> String {
        var text = text[...]
        while text.first?.isWhitespace == true { text.removeFirst() }
        while text.last?.isWhitespace == true { text.removeLast() }
        return String(text)
    }
}
