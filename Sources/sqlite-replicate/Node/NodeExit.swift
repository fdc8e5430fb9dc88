import ArgumentParser
import Cluster
import SQLiteReplicate

/// How the commands of a node end, beyond 0 and 1.
enum NodeExit {
    /// The commands that end so.
    static let commands = ["service", "standby", "promote", "switchover", "demote", "cluster", "tail", "witness"]

    /// Wrong usage, or a configuration that cannot be used.
    static let usage: Int32 = 2
    /// The store cannot fence.
    static let unfitStore: Int32 = 3
    /// The node's role does not allow it.
    static let refused: Int32 = 4
    /// Somebody has to look.
    static let needsOperator: Int32 = 5

    /// For their help.
    static let discussion = """
        Exit codes: 0 done; 1 failed; 2 wrong usage or configuration; 3 the store cannot fence; 4 refused in this role; 5 \
        an operator is needed.
        """

    /// Runs a command; what it throws is told in a line on standard error, and ends the program with its code.
    static func run<Value>(_ body: () async throws -> Value) async throws -> Value {
        do {
            return try await body()
        } catch let error as ExitCode {
            throw error
        } catch {
            StandardStreams.error("Error: \(error)\n")
            throw ExitCode(code(of: error))
        }
    }

    /// The exit code that tells of an error.
    static func code(of error: any Error) -> Int32 {
        switch error {
        case is ConfigurationError, is ValidationError, is ProgramError: usage
        case let error as NodeCommandError:
            switch error.code {
            case .refused: refused
            case .failed: 1
            case .unfitStore: unfitStore
            case .needsOperator: needsOperator
            }
        case NodeError.unfitStore: unfitStore
        case let error as HealthServerError where error.code == .invalidSettings || error.code == .tokenMissing: usage
        case let error as NodeClientError where error.code == .invalidAddress: usage
        case let error as WitnessError:
            switch error.code {
            case .invalidSettings, .tokenMissing, .certificate: usage
            case .foreignFile, .damagedFile: needsOperator
            default: 1
            }
        default: 1
        }
    }
}
