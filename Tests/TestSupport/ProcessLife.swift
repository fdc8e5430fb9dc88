import Foundation

#if canImport(Darwin)
    import Darwin
#elseif canImport(Glibc)
    import Glibc
#endif

/// Whether a process runs; one that has ended and was not awaited yet does not.
public func isRunning(_ process: Int32) -> Bool {
    guard kill(process, 0) == 0 else { return errno == EPERM }
    guard let text = try? String(contentsOfFile: "/proc/\(process)/stat", encoding: .utf8) else { return false }
    // The name, in brackets, may hold anything; the state follows it.
    let state = text.split(separator: ")").last?.first { $0 != " " }
    return state.map { $0 != "Z" && $0 != "X" } ?? false
}
