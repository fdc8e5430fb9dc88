import Testing

@testable import ObjectStorage

@Suite struct S3AddressTests {
    @Test("Amazon's buckets are named in the host, but for those with dots")
    func amazon() throws {
        let plain = try S3Address(S3Configuration(bucket: "logs"), region: "eu-west-1")
        #expect(plain.isSecure && plain.authority == "logs.s3.eu-west-1.amazonaws.com" && plain.basePath.isEmpty)
        let dotted = try S3Address(S3Configuration(bucket: "my.logs"), region: "eu-west-1")
        #expect(dotted.authority == "s3.eu-west-1.amazonaws.com" && dotted.basePath == "/my.logs")
        let china = try S3Address(S3Configuration(bucket: "logs"), region: "cn-north-1")
        #expect(china.authority == "logs.s3.cn-north-1.amazonaws.com.cn")
    }

    @Test("With an endpoint the bucket is named in the path, unless the configuration says otherwise")
    func endpoints() throws {
        var configuration = S3Configuration(bucket: "b")
        configuration.endpoint = try S3Endpoint("http://host:9000")
        let path = try S3Address(configuration, region: "us-east-1")
        #expect(!path.isSecure && path.authority == "host:9000" && path.basePath == "/b")
        configuration.forcePathStyle = false
        let host = try S3Address(configuration, region: "us-east-1")
        #expect(host.authority == "b.host:9000" && host.basePath.isEmpty)
        configuration.endpoint = try S3Endpoint("https://x.supabase.co/storage/v1/s3/")
        configuration.forcePathStyle = nil
        #expect(try S3Address(configuration, region: "us-east-1").basePath == "/storage/v1/s3/b")
    }

    @Test("An access point is addressed by its name and account, in its own region")
    func accessPoint() throws {
        let arn = "arn:aws:s3:eu-west-1:123456789012:accesspoint/mine"
        let address = try S3Address(S3Configuration(bucket: arn), region: "eu-west-1")
        #expect(address.authority == "mine-123456789012.s3-accesspoint.eu-west-1.amazonaws.com")
        #expect(S3Address.region(ofAccessPoint: arn) == "eu-west-1")
        for bad in ["arn:aws:s3:eu-west-1:1", "arn:aws:s3::1:accesspoint/x", "arn:aws:s3:r:1:accesspoint/", "arn:"] {
            #expect(throws: ObjectStoreError.self) { try S3Address(S3Configuration(bucket: bad), region: "r") }
        }
    }

    @Test("What cannot be a bucket is refused", arguments: ["", "a/b", "a b", "a@b", "ä"])
    func badBuckets(name: String) {
        #expect(throws: ObjectStoreError.self) { try S3Store(configuration: S3Configuration(bucket: name)) }
    }

    @Test("Settings that cannot work are refused when a store is made")
    func validation() throws {
        var configuration = S3Configuration(bucket: "b")
        configuration.partSize = 1 << 20
        #expect(throws: ObjectStoreError.self) { try S3Store(configuration: configuration) }
        configuration.partSize = 5 << 20
        configuration.concurrency = 0
        #expect(throws: ObjectStoreError.self) { try S3Store(configuration: configuration) }
        configuration.concurrency = nil
        let key = try S3CustomerKey(base64: "aHVzaGh1c2hodXNoaHVzaGh1c2hodXNoaHVzaGh1c2g=")
        configuration.encryption = .customerKey(key)
        configuration.endpoint = try S3Endpoint("http://example.com")
        #expect(throws: ObjectStoreError.self) { try S3Store(configuration: configuration) }
        configuration.endpoint = try S3Endpoint("http://192.168.1.2:9000")
        #expect(throws: Never.self) { try S3Store(configuration: configuration) }
        #expect(throws: ObjectStoreError.self) { try S3CustomerKey(base64: "c2hvcnQ=") }
        #expect(throws: ObjectStoreError.self) {
            try S3CustomerKey(base64: key.base64, md5: "AAAAAAAAAAAAAAAAAAAAAA==")
        }
        #expect(try S3CustomerKey(base64: key.base64, md5: key.md5) == key)
    }

    @Test("Endpoints are read with and without a scheme")
    func parsing() throws {
        #expect(try S3Endpoint("minio:9000").description == "https://minio:9000")
        #expect(try S3Endpoint("http://minio:80/").description == "http://minio")
        #expect(try S3Endpoint("https://[::1]:9000/a/b").description == "https://[::1]:9000/a/b")
        for near in [
            "localhost:1", "127.0.0.1", "10.1.2.3", "192.168.0.9", "172.16.0.1", "172.31.0.1", "a.local", "a.localhost",
        ] {
            #expect(try S3Endpoint(near, guessesScheme: true).isSecure == false, "\(near)")
        }
        for far in ["s3.example.com", "172.32.0.1", "11.0.0.1", "192.169.0.1", "local", "10.1.2"] {
            #expect(try S3Endpoint(far, guessesScheme: true).isSecure, "\(far)")
        }
        for bad in [
            "", "ftp://x", "http://", "http://:9000", "h:port", "h:0", "h:65536", "h?x", "u@h", "http://[::1", "[::1]x",
        ] {
            #expect(throws: ObjectStoreError.self, "\(bad)") { try S3Endpoint(bad) }
        }
    }

    @Test("Providers are known by their endpoint")
    func providers() throws {
        #expect(S3Provider(endpoint: nil).concurrency == 5)
        #expect(S3Provider(endpoint: try S3Endpoint("https://x.r2.cloudflarestorage.com")).concurrency == 2)
        let tigris = S3Provider(endpoint: try S3Endpoint("https://fly.storage.tigris.dev"))
        #expect(!tigris.wantsContentMD5 && tigris.headers.map(\.name) == ["x-tigris-consistent"])
    }
}
