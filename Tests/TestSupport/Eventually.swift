/// Waits until a condition holds that nothing tells of: looks again and again.
///
/// - Throws: `TestSupportError` with `what` when it does not hold within `limit`; what `condition` throws.
public func eventually(
    _ what: @autoclosure () -> String,
    within limit: Duration = .seconds(30),
    _ condition: () async throws -> Bool
) async throws {
    let deadline = ContinuousClock.now + limit
    while try await !condition() {
        guard ContinuousClock.now < deadline else { throw TestSupportError("Not within \(limit): \(what())") }
        try await Task.sleep(for: .milliseconds(10))
    }
}
