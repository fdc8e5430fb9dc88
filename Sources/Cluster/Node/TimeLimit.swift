import ObjectStorage

/// Runs `body`, and gives `late` where it takes longer than `limit`: then it is cancelled.
func withTimeLimit<Value: Sendable>(
    _ limit: Duration,
    late: Value,
    _ body: @escaping @Sendable () async -> Value
) async -> Value {
    await withTaskGroup(of: Value.self) { group in
        group.addTask { await body() }
        group.addTask {
            try? await Pause.sleep(for: limit)  // cancelled: the answer came first
            return late
        }
        defer { group.cancelAll() }
        return await group.next() ?? late
    }
}
