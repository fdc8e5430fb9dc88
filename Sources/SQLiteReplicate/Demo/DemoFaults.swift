import Foundation
import SystemPackage

/// What is broken in the demonstration of two hosts, for all its processes to see: a file in its folder for each fault.
struct DemoFaults: Sendable {
    /// What can be taken away.
    enum Fault: Hashable, Sendable {
        /// A host with its store.
        case host(String)
        /// What the two hosts say to each other, and to each other's store.
        case link
        /// The witness.
        case witness

        fileprivate var name: String {
            switch self {
            case .host(let name): "host-\(name).gone"
            case .link: "link.cut"
            case .witness: "witness.gone"
            }
        }
    }

    let folder: FilePath

    private func path(_ fault: Fault) -> String { folder.appending(fault.name).string }

    /// Whether it is away.
    func isAway(_ fault: Fault) -> Bool { FileManager.default.fileExists(atPath: path(fault)) }

    /// Takes something away.
    func take(_ fault: Fault) throws { try Data().write(to: URL(filePath: path(fault))) }

    /// Gives it back.
    func giveBack(_ fault: Fault) throws { try FileManager.default.removeItem(atPath: path(fault)) }
}
