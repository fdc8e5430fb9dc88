import Foundation

extension JSONDecoder {
    /// Reads keys such as `max_txid` into properties such as `maxTxid`.
    static var snakeCase: JSONDecoder {
        let decoder = JSONDecoder()
        decoder.keyDecodingStrategy = .convertFromSnakeCase
        return decoder
    }
}
