import Hummingbird
import Logging
import SQLiteReplicate
import ServiceLifecycle
import SystemPackage
import UnixSignals

/// A guest book on two hosts: the same program on both, one of which writes.
///
///     WebApp node-a.yml 8080
@main
enum WebApp {
    static func main() async throws {
        let logger = Logger(label: "web-app")
        let arguments = CommandLine.arguments
        guard arguments.count == 3, let port = Int(arguments[2]) else {
            throw Failure("Usage: WebApp CONFIGURATION PORT")
        }
        var configuration = try ConfigurationFile.load(path: FilePath(arguments[1])).configuration
        // This application writes by itself.
        configuration.service.writes = false
        guard let path = configuration.databases.first?.path else {
            throw Failure("\(arguments[1]) names no database.")
        }

        let services = try NodeServices(
            configuration,
            as: .service,
            isInProcess: true,
            makesDatabase: { try await GuestBook.make(at: path) },
            logger: logger
        )
        guard let node = services.node else { throw Failure("\(arguments[1]) has no 'cluster'.") }
        let book = GuestBook(at: path, node: node)
        let application = Application(
            router: Router.guestBook(book, node: node),
            configuration: .init(address: .hostname("127.0.0.1", port: port)),
            logger: logger
        )
        // They end in reverse: first no request comes in, then the database is closed, then the node hands over.
        let group = ServiceGroup(
            services: [services, book, application],
            gracefulShutdownSignals: [.sigterm, .sigint],
            logger: logger
        )
        try await group.run()
    }
}

/// Why the program does not start.
struct Failure: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) { self.description = description }
}
