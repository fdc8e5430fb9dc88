import NIOHTTP1
import Testing

@testable import ObjectStorage

@Suite struct S3ReadStateTests {
    private func head(_ status: Int, _ headers: [(String, String)]) -> S3AnswerHead {
        S3AnswerHead(status: status, headers: HTTPHeaders(headers))
    }

    private func header(_ name: String, _ state: S3ReadState) -> String? {
        state.headers.first { $0.name == name }?.value
    }

    @Test("A whole object is asked for without a range, and what is missing with one, at the same version")
    func whole() throws {
        var state = S3ReadState(wanted: nil)
        #expect(state.headers.isEmpty)
        try state.begin(head(200, [("content-length", "10"), ("etag", "\"v\"")]), place: "")
        #expect(state.take(4) == 4)
        #expect(throws: S3Failure.self) { try state.finish(place: "") }
        #expect(header("range", state) == "bytes=4-9" && header("if-match", state) == "\"v\"")
        try state.begin(head(206, [("content-range", "bytes 4-9/10"), ("etag", "\"v\"")]), place: "")
        #expect(state.take(100) == 6)
        try state.finish(place: "")
        #expect(state.byteCount == 10)
    }

    @Test("Without a length the body's own end counts")
    func chunked() throws {
        var state = S3ReadState(wanted: nil)
        try state.begin(head(200, []), place: "")
        #expect(state.take(7) == 7)
        try state.finish(place: "")
        #expect(state.byteCount == 7)
    }

    @Test("A range beyond the object's end is told, unless it may end early")
    func beyond() throws {
        var state = S3ReadState(wanted: 2..<20)
        #expect(header("range", state) == "bytes=2-19")
        #expect(throws: S3Failure.self) {
            try state.begin(head(206, [("content-range", "bytes 2-9/10")]), place: "")
        }
        var soft = S3ReadState(wanted: 0..<20, mayEndEarly: true)
        try soft.begin(head(206, [("content-range", "bytes 0-9/10")]), place: "")
        #expect(soft.take(10) == 10)
        try soft.finish(place: "")
        #expect(soft.byteCount == 10)
    }

    @Test("Answers to another question are refused")
    func wrongAnswers() {
        let wrong: [[(String, String)]] = [
            [("content-range", "bytes 1-9/10")], [("content-range", "bytes */10")],
            [("content-range", "bytes 0-10/10")],
            [("content-range", "bytes 5-2/10")], [],
        ]
        for headers in wrong {
            var state = S3ReadState(wanted: 0..<10)
            #expect(throws: S3Failure.self) { try state.begin(head(206, headers), place: "") }
        }
        var later = S3ReadState(wanted: 5..<10)
        #expect(throws: S3Failure.self) { try later.begin(head(200, [("content-length", "10")]), place: "") }
        var other = S3ReadState(wanted: 0..<10, version: ObjectVersion(rawValue: "\"a\""))
        #expect(throws: S3Failure.self) {
            try other.begin(head(206, [("content-range", "bytes 0-9/10"), ("etag", "\"b\"")]), place: "")
        }
    }

    @Test("Parts grow so that ten thousand of them suffice")
    func partSizes() {
        let mebibyte: Int64 = 1 << 20
        #expect(S3Store.partSize(5 * mebibyte, byteCount: 100 * mebibyte) == 5 * mebibyte)
        #expect(S3Store.partSize(5 * mebibyte, byteCount: 50_000 * mebibyte) == 5 * mebibyte)
        #expect(S3Store.partSize(5 * mebibyte, byteCount: 50_000 * mebibyte + 1) == 6 * mebibyte)
        for size: Int64 in [1 << 40, 5 << 40] {
            let part = S3Store.partSize(5 * mebibyte, byteCount: size)
            #expect((size + part - 1) / part <= 10_000)
        }
    }

    @Test("The entity tag of parts is that of their digests")
    func tags() {
        // md5 of the 16 bytes of md5("") twice over, by `printf … | xxd -r -p | md5sum`.
        let empty = "\"d41d8cd98f00b204e9800998ecf8427e\""
        #expect(S3Store.tag(ofParts: [empty]) == "59adb24ef3cdbe0297f05b395827453f-1")
        #expect(S3Store.tag(ofParts: [empty, "opaque"]) == nil)
    }
}
