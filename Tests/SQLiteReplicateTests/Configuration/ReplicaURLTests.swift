import SystemPackage
import Testing

@testable import SQLiteReplicate

@Suite struct ReplicaURLTests {
    struct Example: Sendable, CustomTestStringConvertible {
        var url: String
        var bucket: String
        var path: String
        var endpoint: String?
        var region: String?
        var pathStyle: Bool?

        init(
            _ url: String,
            _ bucket: String,
            _ path: String,
            _ endpoint: String? = nil,
            _ region: String? = nil,
            _ style: Bool? = nil
        ) {
            (self.url, self.bucket, self.path) = (url, bucket, path)
            (self.endpoint, self.region, pathStyle) = (endpoint, region, style)
        }

        var testDescription: String { url }
    }

    @Test(
        "Hosts, paths and endpoints are read as Litestream reads them",
        arguments: [
            .init("s3://bkt/a/b", "bkt", "a/b"),
            .init("S3://bkt/a//b/./c/../d/", "bkt", "a/b/d"),
            .init("s3://bkt/", "bkt", ""),
            .init("s3://bkt", "bkt", "."),
            .init("s3://my.bucket.name/x%20y", "my.bucket.name", "x y"),
            .init("s3://b.s3.eu-west-1.amazonaws.com/x", "b", "x", nil, "eu-west-1"),
            .init("s3://b.c.s3.amazonaws.com/x", "b.c", "x"),
            .init(
                "s3://b.nyc3.digitaloceanspaces.com/x",
                "b",
                "x",
                "https://nyc3.digitaloceanspaces.com",
                "nyc3",
                false
            ),
            .init(
                "s3://b.s3.us-west-004.backblazeb2.com/x",
                "b",
                "x",
                "https://s3.us-west-004.backblazeb2.com",
                "us-west-004",
                true
            ),
            .init("s3://b.s3.filebase.com/x", "b", "x", "https://s3.filebase.com", "us-east-1", true),
            .init("s3://b.s3.fr-par.scw.cloud/x", "b", "x", "https://s3.fr-par.scw.cloud", "fr-par", false),
            .init("s3://arn:aws:s3:eu:12:accesspoint/ap/p/q", "arn:aws:s3:eu:12:accesspoint/ap", "p/q", nil, "eu"),
            .init("s3://b.localhost:9000/x", "b", "x", "http://localhost:9000", nil, true),
            .init("s3://b.minio.lan:9000/x", "b", "x", "http://minio.lan:9000", nil, true),
            .init("s3://b/x?endpoint=127.0.0.1:9000&region=r", "b", "x", "http://127.0.0.1:9000", "r"),
            .init("s3://b/x?endpoint=s3.example.com", "b", "x", "https://s3.example.com"),
            .init(
                "s3://b/x?endpoint=https%3A%2F%2Flocalhost%3A9/&force-path-style=false",
                "b",
                "x",
                "https://localhost:9",
                nil,
                false
            ),
            .init("s3://b/x?forcePathStyle=true#frag", "b", "x", nil, nil, true),
        ] as [Example]
    )
    func hosts(_ example: Example) throws {
        let url = try ReplicaURL(example.url)
        #expect(url.type == .s3 && url.s3.bucket == example.bucket && url.path == example.path)
        #expect(url.s3.endpoint == example.endpoint)
        #expect(url.s3.region == example.region)
        #expect(url.s3.forcePathStyle == example.pathStyle)
        #expect(url.remarks.isEmpty == (example.path != "."))
    }

    @Test(
        "Both spellings of every query parameter are followed",
        arguments: [
            "partSize=6000000&skipVerify=t&signPayload=0&requireContentMD5=no&signAcceptEncoding=false&storageClass=IA&sseCustomerAlgorithm=AES256&sseCustomerKey=k&sseCustomerKeyMD5=m&sseKmsKeyId=i",
            "part-size=6000000&skip-verify=1&sign-payload=f&require-content-md5=off&sign-accept-encoding=n&storage-class=IA&sse-customer-algorithm=AES256&sse-customer-key=k&sse-customer-key-md5=m&sse-kms-key-id=i",
        ]
    )
    func query(_ query: String) throws {
        let settings = try ReplicaURL("s3://b/x?" + query).s3
        #expect(settings.partSize == 6_000_000 && settings.skipVerify && !settings.signPayload)
        #expect(settings.requireContentMD5 == false && settings.signAcceptEncoding == false)
        #expect(settings.storageClass == "IA" && settings.sseCustomerAlgorithm == "AES256")
        #expect(
            settings.sseCustomerKey == Secret("k") && settings.sseCustomerKeyMD5 == "m" && settings.sseKMSKeyID == "i"
        )
    }

    @Test(
        "What is no replica URL is refused with words",
        arguments: [
            ("nothing", "no scheme"), ("://x", "no scheme"), ("s3:///x", "names no bucket"),
            ("s3://?region=x", "names no bucket"),
            ("s3://key:topsecret@b/x", "user or password"), ("s3://arn:aws:s3:r:1:accesspoint", "access point"),
            ("s3://b/x?colour=blue", "nearest known one"), ("s3://b/x?regoin=a", "'region'"),
            ("s3://b/%zz", "% escape"),
            ("s3://b/%00", "% escape"), ("s3://b/x?region=%", "% escape"),
            ("s3://b:9000/x", "write s3://BUCKET.HOST:PORT"),
            ("s3://b.h:99999/x", "write s3://BUCKET.HOST:PORT"), ("s3://a..b/x", "empty part"),
            ("s3://b/x?skipVerify=maybe", "true or false"),
            ("s3://b/x?partSize=5MB", "positive number"), ("s3://b/x?endpoint=ftp://h", "http:// or https://"),
            ("s3://b/x?endpoint=http://u:topsecret@h", "user or password"), ("file://backup/d", "three slashes"),
            ("sftp://u:topsecret@h/p", "not served yet"), ("webdavs://h/p", "not served yet"),
            ("s4://b", "unknown scheme 's4'"),
        ]
    )
    func refused(_ url: String, _ words: String) throws {
        let problem = try #require(throws: ReplicaURL.Problem.self) { try ReplicaURL(url) }
        #expect(problem.words.contains(words), "\(problem.words)")
        #expect(!problem.words.contains("topsecret"))
        let error = try #require(throws: ConfigurationError.self) {
            if Endpoint.scheme(of: url) != nil {
                _ = try ReplicaConfiguration(argument: url)
            } else {
                throw ConfigurationError(problem.code, problem.words)
            }
        }
        #expect(!error.description.contains("topsecret"))
    }

    @Test("An argument is a URL or a folder")
    func arguments() throws {
        #expect(try ReplicaConfiguration(argument: "/backup/./app") == .folder("/backup/app"))
        #expect(try ReplicaConfiguration(argument: "file:///backup/app") == .folder("/backup/app"))
        #expect(try ReplicaConfiguration(argument: "~/b", environment: ["HOME": "/h"]) == .folder("/h/b"))
        #expect(try ReplicaConfiguration(argument: "s3://b/p").displayName == "s3://b/p")
        #expect(throws: ConfigurationError.self) { try ReplicaConfiguration(argument: "") }
        #expect(throws: ConfigurationError.self) { try ReplicaConfiguration(argument: "~/b", environment: [:]) }
    }

    @Test(
        "Hosts of this machine and of private networks are local",
        arguments: [
            "localhost", "localhost:9000", "127.0.0.1:1", "10.1.2.3", "192.168.0.1", "172.16.0.1", "172.31.9.9:80",
            "minio.local", "a.localhost:1", "[::1]:9000",
        ]
    )
    func local(_ host: String) { #expect(Endpoint.isLocal(host)) }

    @Test(
        "Others are not",
        arguments: [
            "s3.example.com", "172.32.0.1", "11.0.0.1", "192.169.0.1", "10.example.com", "localhost.example.com", "",
        ]
    )
    func remote(_ host: String) { #expect(!Endpoint.isLocal(host)) }
}
