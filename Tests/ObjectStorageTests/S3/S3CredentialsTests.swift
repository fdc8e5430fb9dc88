import NIOCore
import NIOPosix
import SystemPackage
import TestSupport
import Testing

@testable import ObjectStorage

@Suite struct S3CredentialsTests {
    private func find(_ source: S3CredentialsSource, _ variables: [String: String]) async throws -> S3Credentials {
        try await S3CredentialsProvider(source, environment: ProcessEnvironment(variables)).credentials(.singleton)
    }

    @Test("Keys come from the environment, Amazon's names before Litestream's")
    func environment() async throws {
        let litestream = ["LITESTREAM_ACCESS_KEY_ID": "l", "LITESTREAM_SECRET_ACCESS_KEY": "ls"]
        #expect(try await find(.environment, litestream) == S3Credentials(accessKeyID: "l", secretAccessKey: "ls"))
        let both = litestream.merging(
            ["AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "as", "AWS_SESSION_TOKEN": "t"]
        ) { $1 }
        let found = try await find(.environment, both)
        #expect(found == S3Credentials(accessKeyID: "a", secretAccessKey: "as", sessionToken: "t"))
        #expect(try await find(.keys(found), [:]) == found)
    }

    @Test("Keys come from a profile of the shared file")
    func sharedFile() async throws {
        try await withTemporaryFolder { folder in
            let text = """
                # comment
                [default]
                aws_access_key_id = one
                aws_secret_access_key=two==
                [ other ]\r
                AWS_ACCESS_KEY_ID = three\r
                aws_secret_access_key = four\r
                aws_session_token = five\r
                [half]
                aws_access_key_id = six
                """
            let path = folder.appending("credentials")
            try write(ByteBuffer(string: text), to: path)
            let variables = ["AWS_SHARED_CREDENTIALS_FILE": path.string]
            let first = try await find(.environment, variables)
            #expect(first == S3Credentials(accessKeyID: "one", secretAccessKey: "two=="))
            let other = S3Credentials(accessKeyID: "three", secretAccessKey: "four", sessionToken: "five")
            #expect(try await find(.environment, variables.merging(["AWS_PROFILE": "other"]) { $1 }) == other)
            #expect(try await find(.sharedFile(path, profile: "other"), [:]) == other)
            await expectError(.accessDenied, naming: ["half", path.string]) {
                _ = try await find(.sharedFile(path, profile: "half"), [:])
            }
            await expectError(.notFound, naming: ["missing"]) {
                _ = try await find(.sharedFile(folder.appending("missing"), profile: "x"), [:])
            }
            await expectError(.accessDenied, naming: ["AWS_ACCESS_KEY_ID"]) {
                _ = try await find(.environment, ["HOME": folder.string])
            }
        }
    }

    @Test("A variable that is set is found, an empty one and a missing one are not")
    func process() {
        #expect(ProcessEnvironment.current["PATH"] != nil)
        #expect(ProcessEnvironment.current["NO_SUCH_VARIABLE_AT_ALL"] == nil)
        #expect(ProcessEnvironment(["A": ""])["A"] == nil)
    }
}
