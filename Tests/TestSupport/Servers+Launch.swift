import Foundation
public import SystemPackage

extension S3TestServer {
    /// Starts moto on a free port, with an empty bucket.
    ///
    /// - Parameter certificate: Files with a certificate for `localhost` and its key, for TLS.
    public static func moto(
        certificate: (certificate: FilePath, key: FilePath)? = nil
    ) async throws -> S3TestServer {
        try Servers.require()
        // moto looks whether a condition holds, and writes afterwards: two of its threads may do so at once, and both
        // succeed. One at a time it keeps what an S3 server promises.
        let program = """
            import os, sys, threading
            def watch():
                sys.stdin.buffer.read()
                os._exit(0)
            threading.Thread(target=watch, daemon=True).start()
            from moto.server import main
            from moto.moto_server.werkzeug_app import DomainDispatcherApplication
            (call, lock) = (DomainDispatcherApplication.__call__, threading.Lock())
            def one_at_a_time(self, environ, start_response):
                if 'HTTP_IF_MATCH' in environ or 'HTTP_IF_NONE_MATCH' in environ:
                    with lock:
                        return call(self, environ, start_response)
                return call(self, environ, start_response)
            DomainDispatcherApplication.__call__ = one_at_a_time
            main(sys.argv[1:])
            """
        var arguments = ["-c", program, "-H", "127.0.0.1", "-p", "0"]
        if let certificate { arguments += ["-c", certificate.certificate.string, "-k", certificate.key.string] }
        let process = try ChildProcess(Servers.program("python"), arguments, hasInput: true)
        let mark = certificate == nil ? "Running on http://127.0.0.1:" : "Running on https://127.0.0.1:"
        try await process.waitForOutput(containing: mark, within: .seconds(60))
        let said = process.standardError + process.standardOutput
        let port = said.components(separatedBy: mark)[1].prefix { $0.isNumber }
        let endpoint = certificate == nil ? "http://127.0.0.1:\(port)" : "https://localhost:\(port)"
        let server = S3TestServer(kind: .moto, endpoint: endpoint, process: process)
        try await server.python("s3.create_bucket(Bucket=bucket)", certificates: certificate?.certificate)
        return server
    }

    /// Starts the JuiceFS gateway on a free port, with an empty bucket.
    public static func gateway() async throws -> S3TestServer {
        try Servers.require()
        let folder = FilePath(NSTemporaryDirectory()).appending("gateway-\(UUID().uuidString.prefix(8).lowercased())")
        try FileManager.default.createDirectory(atPath: folder.string, withIntermediateDirectories: true)
        let meta = "sqlite3://\(folder)/meta.db"
        let format = ["format", "--storage", "file", "--bucket", "\(folder)/data", meta, "test", "--no-update"]
        try await ChildProcess.run(Servers.program("juicefs"), format).checked()
        // The gateway ends when its parent does, and its parent when its input ends: with this process at the latest.
        let program = """
            import ctypes, signal, subprocess, sys
            prctl = getattr(ctypes.CDLL(None), 'prctl', lambda *_: 0)
            follow = lambda: prctl(1, signal.SIGTERM)
            child = subprocess.Popen(sys.argv[1:], stdin=subprocess.DEVNULL, preexec_fn=follow)
            sys.stdin.buffer.read()
            child.terminate()
            sys.exit(0 if child.wait(20) is not None else 1)
            """
        let port = try await freePort()
        let gateway = [
            Servers.program("juicefs").string, "gateway", "--multi-buckets", "--keep-etag", "--object-meta",
            "--no-usage-report", "--log", "\(folder)/gateway.log", "--cache-dir", "\(folder)/cache", meta,
            "127.0.0.1:\(port)",
        ]
        let process = try ChildProcess(
            Servers.program("python"),
            ["-c", program] + gateway,
            environment: ["MINIO_ROOT_USER": "minioadmin", "MINIO_ROOT_PASSWORD": "minioadmin"],
            hasInput: true
        )
        let server = S3TestServer(
            kind: .gateway,
            endpoint: "http://127.0.0.1:\(port)",
            process: process,
            folder: folder
        )
        // It answers 503 until it is ready, and the client repeats that.
        let create = "s3.create_bucket(Bucket=bucket)"
        let deadline = ContinuousClock.now + .seconds(60)
        while true {
            do {
                try await server.python(create)
                return server
            } catch {
                guard process.exit == nil, ContinuousClock.now < deadline else {
                    throw TestSupportError("The gateway did not start: \(error)\(process.outputForMessages)")
                }
            }
        }
    }
}
