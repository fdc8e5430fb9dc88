import Cluster
import ServiceLifecycle

/// Runs the hooks of a node as its role changes; none of them delays the node.
struct NodeHooks: Service {
    let node: ClusterNode
    let runner: HookRunner

    func run() async throws {
        await withDiscardingTaskGroup { group in
            group.addTask { await runner.run() }
            var last = Role.joining
            for await role in node.roleChanges.cancelOnGracefulShutdown() {
                defer { last = role }
                guard let event = HookEvent(from: last, to: role) else { continue }
                let status = await node.status()
                runner.notify(event, role: role, epoch: status.epoch, cluster: status.cluster)
            }
            try? await gracefulShutdown()  // cancelled: the end as well
        }
    }
}

extension HookCommands {
    /// Each hook is run by a shell.
    init(_ hooks: ClusterConfiguration.Hooks) throws(ProgramError) {
        self.init()
        if let text = hooks.primary { primary = try ProgramCommand(words: ["/bin/sh", "-c", text]) }
        if let text = hooks.standby { standby = try ProgramCommand(words: ["/bin/sh", "-c", text]) }
        if let text = hooks.fence { fence = try ProgramCommand(words: ["/bin/sh", "-c", text]) }
    }
}
