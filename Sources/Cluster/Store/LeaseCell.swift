public import ObjectStorage

/// A place that holds one small text, changed by compare-and-swap alone: where a lease is kept.
///
/// An object of a store is one (``StoreCell``), a cell of a witness is another. Methods may be called from any task; each
/// sends one request and repeats nothing. Cancelling the task abandons the request; whether a cancelled ``put(_:replacing:)``
/// took effect is then unknown.
public protocol LeaseCell: Sendable, CustomStringConvertible {
    /// All bytes, and the version that has just these.
    ///
    /// - Returns: The version is `nil` where the place gives none.
    /// - Throws: ``ObjectStorage/ObjectStoreError`` with code `notFound` where nothing was ever put there.
    func read() async throws(ObjectStoreError) -> (bytes: [UInt8], version: LeaseVersion?)

    /// Puts bytes in the place of a version; `nil`: where nothing is.
    ///
    /// - Returns: The new version; `nil` where the place tells none.
    /// - Throws: code `conditionFailed` where something else is there: nothing was written then. With `outcomeUnknown` the
    ///   bytes may be there, now or later.
    func put(_ bytes: [UInt8], replacing version: LeaseVersion?) async throws(ObjectStoreError) -> LeaseVersion?
}
