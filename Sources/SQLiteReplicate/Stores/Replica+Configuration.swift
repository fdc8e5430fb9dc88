public import Logging
import ObjectStorage
public import Replication
public import SystemPackage

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

extension Replica {
    /// Makes the replica that a configuration describes; nothing is asked of the store.
    ///
    /// - Parameters:
    ///   - configuration: The `replica` of a database, or what an argument means.
    ///   - database: The database, whose permissions and those of its folder are given to a folder replica's files and
    ///     folders; `nil` for private ones.
    ///   - logger: For the store's own messages.
    /// - Throws: `ObjectStoreError` for settings that the store cannot use.
    public init(_ configuration: ReplicaConfiguration, database: FilePath? = nil, logger: Logger) throws {
        guard configuration.type == .s3 else {
            let modes = database.map(FileModes.init(of:)) ?? FileModes()
            let store = FolderStore(root: FilePath(configuration.path), fileMode: modes.file, folderMode: modes.folder)
            self.init(store: store, layout: .folder)
            return
        }
        let store = try S3Store(configuration: S3Configuration(configuration.s3), logger: logger)
        self.init(store: store, layout: .s3(prefix: configuration.path))
    }
}

/// The permissions of a database's file and folder.
private struct FileModes {
    var file: FilePermissions = [.ownerReadWrite]
    var folder: FilePermissions = [.ownerReadWriteExecute]

    init() {}

    init(of database: FilePath) {
        if let mode = Self.mode(database) { file = FilePermissions(rawValue: mode & 0o666) }
        if let mode = Self.mode(database.removingLastComponent()) {
            folder = FilePermissions(rawValue: mode & 0o777 | 0o700)
        }
    }

    private static func mode(_ path: FilePath) -> CInterop.Mode? {
        var status = stat()
        let path = path.isEmpty ? "." : path
        guard unsafe path.withPlatformString({ unsafe stat($0, &status) }) == 0 else { return nil }
        return CInterop.Mode(status.st_mode)
    }
}

extension S3Configuration {
    /// Takes the settings of a configuration file.
    init(_ settings: S3Settings) throws {
        self.init(bucket: settings.bucket)
        region = settings.region
        endpoint = try settings.endpoint.map { try S3Endpoint($0) }
        forcePathStyle = settings.forcePathStyle
        if let id = settings.accessKeyID, let secret = settings.secretAccessKey {
            credentials = .keys(S3Credentials(accessKeyID: id.exposed, secretAccessKey: secret.exposed))
        }
        signPayload = settings.signPayload
        requireContentMD5 = settings.requireContentMD5
        signAcceptEncoding = settings.signAcceptEncoding ?? true
        skipVerify = settings.skipVerify
        storageClass = settings.storageClass
        partSize = settings.partSize
        concurrency = settings.concurrency
        if let key = try settings.sseCustomerKey?.exposed ?? settings.sseCustomerKeyPath.map(Self.key(in:)) {
            encryption = .customerKey(try S3CustomerKey(base64: key, md5: settings.sseCustomerKeyMD5))
        } else if let key = settings.sseKMSKeyID {
            encryption = .managedKey(id: key)
        }
    }

    /// The customer key in a file, without the line's end.
    private static func key(in path: String) throws -> String {
        var bytes = [UInt8](repeating: 0, count: 1024)
        let count: Int
        do {
            let file = try FileDescriptor.open(FilePath(path), .readOnly, options: .closeOnExec)
            count = try file.closeAfter { unsafe try bytes.withUnsafeMutableBytes { unsafe try file.read(into: $0) } }
        } catch let error as Errno {
            throw ObjectStoreError(
                .invalidRequest,
                "The customer key cannot be read from \(path): check sse-customer-key-path.",
                cause: error
            )
        }
        return String(String(decoding: bytes[..<count], as: UTF8.self).filter { !$0.isWhitespace })
    }
}
