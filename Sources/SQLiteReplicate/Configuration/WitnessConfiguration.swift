/// `witness`: where the lease lies if each of two hosts has a store: on a third one.
///
/// A URL, or a mapping with more.
public struct WitnessConfiguration: Hashable, Sendable {
    /// `url`, `http(s)://HOST:PORT` of a ``WitnessServer``, or `s3://BUCKET/PATH` or `file:///PATH` of a store that honours
    /// conditions; required. A store takes the keys of an S3 replica beside it.
    public var place: WitnessPlace

    /// `token`, text, default none: what the witness was started with.
    ///
    /// `certificate-authorities`, path, default the system's: a file of certificates in PEM form to trust instead.
    public var access = WitnessAccess()

    /// Takes a place.
    public init(_ place: WitnessPlace, _ access: WitnessAccess = WitnessAccess()) {
        (self.place, self.access) = (place, access)
    }
}
