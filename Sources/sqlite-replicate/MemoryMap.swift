import Foundation

/// What is mapped into this process, as `/proc/self/maps` of Linux tells.
enum MemoryMap {
    /// The addresses of the program's own code; empty where that is not to be learnt.
    static func codeOfProgram() -> [Range<UInt>] {
        guard let program = try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe"),
            let maps = try? String(contentsOfFile: "/proc/self/maps", encoding: .utf8)
        else { return [] }
        return code(of: program, in: maps)
    }

    /// The ranges that are mapped from `program`, private, to be read and run but not to be written.
    static func code(of program: String, in maps: String) -> [Range<UInt>] {
        maps.split(separator: "\n").compactMap { line in
            // START-END PERMISSIONS OFFSET DEVICE INODE PATH; the path may have spaces.
            let fields = line.split(separator: " ", maxSplits: 5, omittingEmptySubsequences: true)
            guard fields.count == 6, fields[1] == "r-xp", fields[5].drop(while: { $0 == " " }) == program else {
                return nil
            }
            let addresses = fields[0].split(separator: "-").compactMap { UInt($0, radix: 16) }
            guard addresses.count == 2, addresses[0] < addresses[1] else { return nil }
            return addresses[0]..<addresses[1]
        }
    }
}
