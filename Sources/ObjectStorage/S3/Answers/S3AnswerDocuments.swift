/// The XML documents that S3 answers with, as far as they are used here; their names with a small letter.
///
/// Source: <https://docs.aws.amazon.com/AmazonS3/latest/API/API_Operations.html>
enum S3AnswerDocuments {
    /// `ListBucketResult` of ListObjectsV2.
    struct Listing: Decodable {
        struct Object: Decodable {
            var key: String
            var lastModified: String
            var eTag: String?
            var size: Int64
        }

        var contents: [Object]?
        var isTruncated: Bool
        var nextContinuationToken: String?
        var encodingType: String?
    }

    /// `Error`.
    struct Failure: Decodable {
        var code: String
        var message: String?
        var region: String?
        var endpoint: String?
    }

    /// `LocationConstraint` of GetBucketLocation.
    struct Location: Decodable {
        enum CodingKeys: String, CodingKey {
            // The element's own text.
            case region = ""
        }

        var region: String?
    }

    /// `InitiateMultipartUploadResult`.
    struct Upload: Decodable {
        var uploadId: String
    }

    /// `CompleteMultipartUploadResult`.
    struct CompletedUpload: Decodable {
        var eTag: String?
    }

    /// `DeleteResult`: with `Quiet`, what could not be deleted.
    struct Deletion: Decodable {
        struct Failure: Decodable {
            var key: String?
            var code: String
            var message: String?
        }

        var error: [Failure]?
    }
}
