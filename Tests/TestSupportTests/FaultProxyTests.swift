import Foundation
import NIOHTTP1
import TestSupport
import Testing

@Suite("A proxy that harms requests", .enabled(if: Servers.areExpected), .timeLimit(.minutes(5)))
struct FaultProxyTests {
    @Test("Signed requests of an independent client pass unchanged, conditions included")
    func passes() async throws {
        try await withProxy("passes") { proxy, client in
            _ = try await client(
                """
                s3.put_object(Bucket=bucket, Key=key, Body=b'one', IfNoneMatch='*')
                try:
                    s3.put_object(Bucket=bucket, Key=key, Body=b'two', IfNoneMatch='*')
                    raise SystemExit('created twice')
                except s3.exceptions.ClientError as error:
                    assert error.response['ResponseMetadata']['HTTPStatusCode'] == 412
                body = s3.get_object(Bucket=bucket, Key=key)['Body'].read()
                assert body == b'one', body
                assert s3.head_object(Bucket=bucket, Key=key)['ContentLength'] == 3
                assert [o['Key'] for o in s3.list_objects_v2(Bucket=bucket, Prefix=key)['Contents']] == [key]
                s3.delete_object(Bucket=bucket, Key=key)
                s3.put_object(Bucket=bucket, Key=key, Body=b'x' * 3000000)
                assert len(s3.get_object(Bucket=bucket, Key=key)['Body'].read()) == 3000000
                """
            )
            let puts = proxy.exchanges.filter { $0.method == .PUT }
            #expect(puts.map(\.ifNoneMatch) == ["*", "*", nil])
            #expect(puts.map(\.serverStatus) == [200, 412, 200] && puts.map(\.clientStatus) == [200, 412, 200])
            #expect(proxy.exchanges.contains { $0.method == .HEAD && $0.clientStatus == 200 })
            #expect(proxy.exchanges.allSatisfy { $0.fault == nil })
        }
    }

    @Test("Each fault does what it says, to the requests it names and no others")
    func faults() async throws {
        try await withProxy("faults") { proxy, client in
            proxy.add(FaultRule(.dropRequest(.reset), method: .PUT, path: "/a"))
            proxy.add(FaultRule(.loseAnswer(.close), method: .PUT, path: "/b"))
            proxy.add(FaultRule(.answer(.conflict, code: "ConditionalRequestConflict", isForwarded: false), path: "/c"))
            proxy.add(FaultRule(.answer(.serviceUnavailable, code: "SlowDown", isForwarded: true), path: "/d"))
            proxy.add(FaultRule(.cutRequest(after: 500), method: .PUT, path: "/e"))
            proxy.add(FaultRule(.cutAnswer(after: 20), method: .PUT, path: "/f"))
            proxy.add(FaultRule(.dropRequest(.reset), method: .PUT, pattern: "/g[0-9]$", skip: 1))
            let cases = [
                ("a", "error", false), ("b", "error", true), ("c", "409 ConditionalRequestConflict", false),
                ("d", "503 SlowDown", true), ("e", "error", false), ("f", "error", true), ("g1", "200", true),
                ("g2", "error", false), ("g3", "200", true), ("h", "200", true),
            ]
            let said = try await client(
                """
                for name in '\(cases.map(\.0).joined(separator: " "))'.split():
                    try:
                        answer = s3.put_object(Bucket=bucket, Key=key + '/' + name, Body=b'x' * 1000)
                        print(answer['ResponseMetadata']['HTTPStatusCode'])
                    except s3.exceptions.ClientError as error:
                        print(error.response['ResponseMetadata']['HTTPStatusCode'], error.response['Error']['Code'])
                    except Exception:
                        print('error')
                print(' '.join(o['Key'] for o in s3.list_objects_v2(Bucket=bucket, Prefix=key + '/')['Contents']))
                """
            )
            let lines = said.split(separator: "\n").map(String.init)
            #expect(Array(lines.dropLast()) == cases.map(\.1))
            let landed = cases.filter(\.2).map { "proxy-faults/\($0.0)" }
            #expect(lines.last?.split(separator: " ").map(String.init) == landed)
            #expect(proxy.harmed == 7)
        }
    }

    @Test("A delayed request lands although its client has gone; a cut keeps requests or answers away until it ends")
    func cuts() async throws {
        try await withProxy("cuts", timeout: 1) { proxy, client in
            func put(_ name: String) async throws -> String {
                try await client(
                    """
                    try:
                        s3.put_object(Bucket=bucket, Key=key + '\(name)', Body=b'x')
                        print('done')
                    except Exception as error:
                        print(type(error).__name__)
                    """
                ).trimmingCharacters(in: .whitespacesAndNewlines)
            }
            func landed(_ name: String) -> Bool {
                proxy.exchanges.contains { $0.path.hasSuffix(name) && $0.serverStatus == 200 }
            }
            proxy.add(FaultRule(.delay(.seconds(2)), path: "/late"))
            #expect(try await put("/late") == "ReadTimeoutError")
            try await eventually("the late request lands") { landed("/late") }

            proxy.cut(.silent)
            #expect(try await put("/lost") == "ReadTimeoutError" && !landed("/lost"))
            proxy.cut(.oneWay)
            #expect(try await put("/unheard") == "ReadTimeoutError" && landed("/unheard"))
            proxy.cut(.refused)
            #expect(try await put("/refused") != "done" && !landed("/refused"))
            proxy.cut(.none)
            #expect(try await put("/whole") == "done" && landed("/whole"))
        }
    }

    /// Calls `body` with a proxy before the shared server, and a function that runs Python with `s3`, `bucket` and
    /// `key` through it, without repetitions.
    private func withProxy(
        _ key: String,
        timeout: Int = 20,
        _ body: (FaultProxy, (String) async throws -> String) async throws -> Void
    ) async throws {
        try await withMoto { server in
            let proxy = try await FaultProxy.start(before: server.endpoint)
            let client = { (program: String) in
                try await server.python(
                    """
                    s3 = boto3.client('s3', endpoint_url='\(proxy.endpoint)', region_name='us-east-1',
                        aws_access_key_id='\(server.accessKeyID)', aws_secret_access_key='\(server.secretAccessKey)',
                        config=Config(s3={'addressing_style': 'path'}, retries={'total_max_attempts': 1},
                            read_timeout=\(timeout), connect_timeout=\(timeout)))
                    key = 'proxy-\(key)'
                    \(program)
                    """
                )
            }
            try await body(proxy, client)
            try await proxy.stop()
        }
    }
}
