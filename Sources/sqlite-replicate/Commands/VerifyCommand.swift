import ArgumentParser
import SQLiteReplicate

/// `verify`: reads a whole replica and says what is wrong with it.
struct VerifyCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "verify",
        abstract: "Read every file of a replica, check it, and check that the files make a whole history.",
        discussion: "Ends with 0 if nothing is wrong, with 2 if something is, and with 1 if it could not be checked.",
    )

    @Argument(
        help: ArgumentHelp(
            "A database of the configuration, a replica URL, or a replica's folder.",
            valueName: "database|replica"
        )
    )
    var argument: String

    @OptionGroup var file: ConfigurationOptions

    @Flag(name: .both("json"), help: "Write the findings as JSON.")
    var json = false

    private struct Report: Encodable {
        var replica: String
        var fileCount: Int
        var sizeBytes: Int64
        var minTxid: String?
        var maxTxid: String?
        var findings: [Finding]
    }

    private struct Finding: Encodable {
        var severity: String
        var file: String
        var message: String
    }

    func run() async throws {
        let target = try ReplicaTarget(argument, source: file.source)
        WarningOutput.write(target.warnings)
        let progress = ProgressPrinter(label: "verify")
        let logger = try LogSettings.quietLogger()
        let report = try await StopSignals.cancel {
            defer { progress.finish() }
            return try await Commands.verify(target.replica, logger: logger) { progress.update($0) }
        }
        if json { try writeJSON(report, target.replica) } else { writeText(report, target.replica) }
        // Checked and found wrong.
        if report.findings.contains(where: { $0.severity == .error }) { throw ExitCode(2) }
    }

    private func writeJSON(_ report: VerifyReport, _ replica: ReplicaConfiguration) throws {
        try JSONOutput.write(
            Report(
                replica: replica.displayName,
                fileCount: report.fileCount,
                sizeBytes: report.byteCount,
                minTxid: report.minTXID.map(TransactionNumber.text),
                maxTxid: report.maxTXID.map(TransactionNumber.text),
                findings: report.findings.map {
                    Finding(severity: $0.severity.rawValue, file: $0.file, message: $0.message)
                },
            )
        )
    }

    private func writeText(_ report: VerifyReport, _ replica: ReplicaConfiguration) {
        for finding in report.findings {
            let file = finding.file.isEmpty ? "" : "\(finding.file): "
            StandardStreams.output("\(finding.severity.rawValue): \(file)\(finding.message)\n")
        }
        var line = "\(replica.displayName): \(report.fileCount) files, \(report.byteCount) bytes"
        if let minimum = report.minTXID, let maximum = report.maxTXID {
            line += ", transactions \(TransactionNumber.text(minimum)) to \(TransactionNumber.text(maximum))"
        }
        let errors = report.findings.count { $0.severity == .error }
        StandardStreams.output("\(line): \(errors == 0 ? "nothing wrong" : "\(errors) wrong")\n")
    }
}
