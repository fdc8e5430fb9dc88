import Replication
import SystemPackage
import TestSupport

/// What the command line asks for.
struct HostOptions {
    var database: FilePath
    var settings: CaptureSettings
    var isStoreKnown = false
    var application: UInt64?
    var points: Set<FaultPoint> = Set(FaultPoint.allCases)
    var killAt: Int?
    var stopAt: Int?
    var askAt: Int?
    var asks = 1
    var stretch: UInt64?
    var act: Character?
    var closeRawAfter: Int?

    init(_ arguments: [String]) throws {
        guard let first = arguments.first else { throw TestSupportError("usage: engine-host DB [KEY=VALUE ...]") }
        database = FilePath(first)
        settings = CaptureSettings(database: database)
        settings.syncInterval = .milliseconds(20)
        for argument in arguments.dropFirst() {
            let words = argument.split(separator: "=", maxSplits: 1).map(String.init)
            guard words.count == 2 else { throw TestSupportError("'\(argument)' is not of the form KEY=VALUE") }
            try set(words[0], words[1])
        }
    }

    private mutating func set(_ key: String, _ value: String) throws {
        func number<T: FixedWidthInteger>() throws -> T {
            guard let number = T(value) else { throw TestSupportError("\(key)=\(value) is no number") }
            return number
        }
        switch key {
        case "soft": settings.softLimitFrames = try number()
        case "limit": settings.captureLimit = try number()
        case "spool": settings.spoolLimit = try number()
        case "interval-ms": settings.syncInterval = .milliseconds(try number() as Int)
        case "poll-ms": settings.slowPoll = .milliseconds(try number() as Int)
        case "known": isStoreKnown = value == "1"
        case "variant":
            guard let variant = ProtocolVariant(rawValue: value) else {
                throw TestSupportError("no variant '\(value)'")
            }
            settings.variant = variant
        case "app": application = try number()
        case "point":
            points = Set(
                try value.split(separator: ",").map { name in
                    guard let point = FaultPoint(rawValue: String(name)) else {
                        throw TestSupportError("no fault point '\(name)'")
                    }
                    return point
                }
            )
        case "kill-at": killAt = try number()
        case "stop-at": stopAt = try number()
        case "ask-at": askAt = try number()
        case "asks": asks = try number()
        case "stretch": stretch = try number()
        case "close-raw": closeRawAfter = try number()
        case "act": act = value.first
        default: throw TestSupportError("no option '\(key)'")
        }
    }
}
