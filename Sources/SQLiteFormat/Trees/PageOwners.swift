/// To which tables and indexes some pages of a database belong.
///
/// It walks the b-trees from the roots that `sqlite_schema` names. Interior pages name all leaves, so few pages are read;
/// only for overflow pages must leaves be read as well, those that were asked for first. Memory and time are bounded by
/// the number of pages read, also where the pages are damaged or hostile: then some pages have no owner.
///
/// Format: <https://www.sqlite.org/fileformat2.html>
public struct PageOwners: Sendable {
    /// What a page is used for.
    public enum Owner: Hashable, Sendable {
        /// Rows of a table.
        case table(String)
        /// Entries of an index, the second name being its table's.
        case index(String, of: String)
        /// The schema, `sqlite_schema`.
        case schema
        /// Nothing: it is in the list of free pages, or lies beyond the database's end.
        case free
        /// The map by which `auto_vacuum` finds what points to a page.
        case pointerMap
        /// The page at 1 GiB, which is never used.
        case lockPage
    }

    /// The owners of the pages that were asked for; those that none was found for are left out.
    public private(set) var owners: [UInt32: Owner] = [:]
    /// Why some have none, in words for people; `nil` if all have one.
    public private(set) var problem: String?

    /// Finds owners.
    ///
    /// - Parameters:
    ///   - pages: The pages to be told of.
    ///   - pageCount: The size of the database in pages.
    ///   - readLimit: At most so many pages are read.
    ///   - read: Reads a page: all its bytes, or `nil` where it is not there.
    /// - Throws: What `read` throws.
    public init(
        of pages: some Sequence<UInt32>,
        pageCount: UInt32,
        readLimit: Int,
        reading read: @escaping (UInt32) throws -> [UInt8]?
    ) throws {
        var survey = PageSurvey(wanted: Set(pages), pageCount: pageCount, readLimit: readLimit, read: read)
        try survey.run()
        (owners, problem) = (survey.owners, survey.problem)
    }
}
