import Cluster
import Foundation
import Logging
import Replication
import SQLiteReplicate
import SystemPackage
import TestSupport

/// Takes all tails of a cluster out, as an operator would.
enum HostTails {
    static func export(_ options: HostOptions) async throws {
        guard let output = options.output else { throw TestSupportError("say where to: out=FOLDER") }
        let logger = Logger(label: "tails") { _ in SwiftLogNoOpLogHandler() }
        let stores = try stores(options, logger: logger)
        let tails = TailStore(stores.replica.store, layout: stores.layout)
        try FileManager.default.createDirectory(atPath: output.string, withIntermediateDirectories: true)
        for (number, entry) in try await tails.list().enumerated() {
            let path = output.appending("tail-\(number).db")
            do {
                let manifest = try await tails.database(entry.reference, replica: stores.replica, to: path)
                say("tail id=\(manifest.id) path=\(path)")
            } catch {
                say("tail-failed id=\(entry.reference) \(error.code) \(error.message)")
            }
        }
    }
}
