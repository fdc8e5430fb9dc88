public import Cluster

/// A change of a node's life that a hook is run for.
public enum HookEvent: String, Hashable, Sendable, CaseIterable {
    /// The node has opened for writing.
    case primary
    /// It follows.
    case standby
    /// It was primary and is not any more, by no wish of its own.
    case fence

    /// What a change of role means; `nil`: no hook is run for it.
    public init?(from old: Role, to new: Role) {
        switch (old, new) {
        case (.primary, .joining), (.primary, .halted): self = .fence
        case (_, .primary) where old != .primary: self = .primary
        case (_, .standby) where old != .standby && old != .claiming: self = .standby
        default: return nil
        }
    }
}

/// The commands that are run when a node's role changes.
public struct HookCommands: Hashable, Sendable {
    /// Run when the node has opened for writing.
    public var primary: ProgramCommand?
    /// Run when it begins to follow.
    public var standby: ProgramCommand?
    /// Run when it was fenced.
    public var fence: ProgramCommand?

    /// Creates hooks.
    public init(primary: ProgramCommand? = nil, standby: ProgramCommand? = nil, fence: ProgramCommand? = nil) {
        (self.primary, self.standby, self.fence) = (primary, standby, fence)
    }

    /// The command of an event.
    public subscript(event: HookEvent) -> ProgramCommand? {
        switch event {
        case .primary: primary
        case .standby: standby
        case .fence: fence
        }
    }
}
