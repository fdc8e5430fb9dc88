import LTX

extension DecodedTransaction {
    /// Files of more images together are not joined.
    package static let joinLimit = 4 << 20

    /// The bytes of the images that memory holds; `nil` where it does not hold them.
    package var imageByteCount: Int? { if case .images(let images) = content { images.count } else { nil } }

    /// Joins files that follow each other without a gap: one commit leads to where all of them lead.
    ///
    /// Whether it does is proven when it is applied, by the mark of the last one.
    ///
    /// - Returns: `nil` where memory does not hold all of their pages, or the sizes of these differ.
    package static func joining(_ transactions: [DecodedTransaction]) -> DecodedTransaction? {
        guard let first = transactions.first, let last = transactions.last else { return nil }
        guard transactions.count > 1 else { return last }
        let (pageSize, count) = (last.header.pageSize, last.header.commit)
        var newest: [UInt32: (transaction: Int, index: Int)] = [:]
        for (number, transaction) in transactions.enumerated() {
            guard transaction.imageByteCount != nil, transaction.header.pageSize == pageSize else { return nil }
            for (index, page) in transaction.pages.enumerated() { newest[page.number] = (number, index) }
        }
        var pages: [Page] = []
        var images: [UInt8] = []
        // What a later file cut off is gone; where another one made the database longer again, it brought the page.
        for (_, place) in newest.filter({ $0.key <= count }).sorted(by: { $0.key < $1.key }) {
            let transaction = transactions[place.transaction]
            guard case .images(let source) = transaction.content else { return nil }
            pages.append(transaction.pages[place.index])
            images += source[place.index * pageSize..<(place.index + 1) * pageSize]
        }
        var header = last.header
        header.minTXID = first.header.minTXID
        return DecodedTransaction(
            state: last.state,
            node: last.node,
            fileChecksum: last.fileChecksum,
            header: header,
            byteCount: transactions.reduce(0) { $0 + $1.byteCount },
            pages: pages,
            content: .images(images)
        )
    }
}
