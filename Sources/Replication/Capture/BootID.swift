import SystemPackage

/// Which boot of the machine this is; empty where it cannot be known, and then nothing is proven by it.
package enum BootID {
    package static let current: String = {
        #if os(Linux)
            let path: FilePath = "/proc/sys/kernel/random/boot_id"
            guard let bytes = try? Disk.contents(of: path, limit: 64) else { return "" }
            return String(decoding: bytes, as: UTF8.self).filter { $0.isHexDigit || $0 == "-" }
        #else
            return ""
        #endif
    }()
}
