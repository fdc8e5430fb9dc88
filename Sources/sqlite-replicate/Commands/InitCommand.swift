import ArgumentParser
import SQLiteReplicate
import SystemPackage

/// `init`: makes the database of the small application, adds users and lists them.
struct InitCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "init",
        abstract: "Make a database with the tables 'users' and 'events', ready to be replicated.",
        discussion: """
            A database that exists is kept, and gets the tables that it lacks. It is opened as an application should open \
            one that is replicated: WAL mode, a busy timeout of 5 s, synchronous NORMAL, no checkpoints of its own.
            """,
    )

    @Argument(help: ArgumentHelp("The database.", valueName: "path"))
    var path: String

    @Option(
        name: .both("user"),
        parsing: .singleValue,
        help: ArgumentHelp("Add a user; may be given several times.", valueName: "name:email")
    )
    var users: [String] = []

    @Flag(name: .both("json"), help: "Write the users as JSON.")
    var json = false

    func run() async throws {
        let new = try users.map { text in
            guard let colon = text.lastIndex(of: ":"), colon > text.startIndex,
                text.index(after: colon) < text.endIndex
            else { throw ValidationError("'\(text)' is not NAME:EMAIL, as in 'Ada:ada@example.org'.") }
            return (name: String(text[..<colon]), email: String(text[text.index(after: colon)...]))
        }
        let database = try await AppDatabase(at: FilePath(path), creates: true)
        for user in new { try await database.addUser(name: user.name, email: user.email) }
        let all = try await database.users()
        try await database.close()
        if json { return try JSONOutput.write(all) }
        var table = TextTable("id", "name", "email")
        for user in all { table.add("\(user.id)", user.name, user.email) }
        StandardStreams.output(all.isEmpty ? "\(path) is ready; it has no users yet.\n" : table.text)
    }
}
