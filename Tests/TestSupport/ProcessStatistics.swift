import Foundation

/// What a running process uses, as `/proc` tells it (Linux only).
public struct ProcessStatistics: Sendable {
    /// CPU seconds since its start, user and system together.
    public let cpuSeconds: Double
    /// Resident size now, in bytes.
    public let residentBytes: Int64
    /// The largest resident size so far, in bytes.
    public let peakResidentBytes: Int64
    /// How often its threads gave up the processor by themselves, over all threads that live now.
    public let voluntaryContextSwitches: Int64
    /// The names of its threads.
    public let threadNames: [String]

    /// Looks at a process.
    ///
    /// - Throws: Where it is gone, or there is no `/proc`.
    public init(of processID: Int32) throws {
        let folder = "/proc/\(processID)"
        let status = try Self.fields(of: "\(folder)/status")
        // The fields of `stat` that follow the program's name in brackets begin with the third: state.
        let stat = try String(contentsOfFile: "\(folder)/stat", encoding: .utf8)
        let fields = stat[(stat.lastIndex(of: ")") ?? stat.startIndex)...].split(separator: " ")
        guard fields.count > 13, let user = Double(fields[12]), let system = Double(fields[13]) else {
            throw TestSupportError("'\(folder)/stat' has another form: \(stat)")
        }
        cpuSeconds = (user + system) / 100  // USER_HZ, 100 on all Linux platforms that Swift runs on.
        residentBytes = Self.kibibytes(status["VmRSS"])
        peakResidentBytes = Self.kibibytes(status["VmHWM"])
        var switches: Int64 = 0
        var names: [String] = []
        for thread in try FileManager.default.contentsOfDirectory(atPath: "\(folder)/task") {
            guard let status = try? Self.fields(of: "\(folder)/task/\(thread)/status") else {
                continue  // A thread that ended meanwhile.
            }
            switches += status["voluntary_ctxt_switches"].flatMap { Int64($0) } ?? 0
            names.append(status["Name"] ?? "?")
        }
        (voluntaryContextSwitches, threadNames) = (switches, names.sorted())
    }

    private static func fields(of path: String) throws -> [String: String] {
        var fields: [String: String] = [:]
        for line in try String(contentsOfFile: path, encoding: .utf8).split(separator: "\n") {
            guard let colon = line.firstIndex(of: ":") else { continue }
            fields[String(line[..<colon])] = line[line.index(after: colon)...].trimmingCharacters(in: .whitespaces)
        }
        return fields
    }

    private static func kibibytes(_ text: String?) -> Int64 {
        (text?.split(separator: " ").first.flatMap { Int64($0) } ?? 0) * 1024
    }
}
