/// The XML documents that S3 answers with, as far as they are used here.
///
/// Source: <https://docs.aws.amazon.com/AmazonS3/latest/API/API_Operations.html>
enum S3AnswerDocuments {
    /// `ListBucketResult` of ListObjectsV2.
    struct Listing: Decodable {
        struct Object: Decodable {
            var Key: String
            var LastModified: String
            var ETag: String?
            var Size: Int64
        }

        var Contents: [Object]?
        var IsTruncated: Bool
        var NextContinuationToken: String?
        var EncodingType: String?
    }

    /// `Error`.
    struct Failure: Decodable {
        var Code: String
        var Message: String?
        var Region: String?
        var Endpoint: String?
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
        var UploadId: String
    }

    /// `CompleteMultipartUploadResult`.
    struct CompletedUpload: Decodable {
        var ETag: String?
    }

    /// `DeleteResult`: with `Quiet`, what could not be deleted.
    struct Deletion: Decodable {
        struct Failure: Decodable {
            var Key: String?
            var Code: String
            var Message: String?
        }

        var Error: [Failure]?
    }
}
