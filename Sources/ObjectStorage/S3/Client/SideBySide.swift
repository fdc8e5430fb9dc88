/// Runs jobs with the numbers `0..<count`, up to `width` of them at a time; the first error cancels the others.
///
/// - Returns: The answers in the order of the numbers.
func sideBySide<Answer: Sendable>(
    _ count: Int,
    width: Int,
    _ job: @escaping @Sendable (Int) async throws(ObjectStoreError) -> Answer
) async throws(ObjectStoreError) -> [Answer] {
    let result = await withTaskGroup(
        of: (Int, Result<Answer, ObjectStoreError>).self
    ) { group -> Result<[Answer], ObjectStoreError> in
        var answers = [Answer?](repeating: nil, count: count)
        var next = 0
        while next < min(count, width) {
            let number = next
            group.addTask { (number, await Result(job, number)) }
            next += 1
        }
        while let (done, result) = await group.next() {
            switch result {
            case .success(let answer): answers[done] = answer
            case .failure(let error):
                group.cancelAll()
                return .failure(error)
            }
            guard next < count else { continue }
            let number = next
            group.addTask { (number, await Result(job, number)) }
            next += 1
        }
        return .success(answers.compactMap(\.self))
    }
    return try result.get()
}

extension Result where Success: Sendable, Failure == ObjectStoreError {
    /// What became of a job.
    fileprivate init(
        _ job: @Sendable (Int) async throws(ObjectStoreError) -> Success,
        _ number: Int
    ) async {
        do throws(ObjectStoreError) {
            self = .success(try await job(number))
        } catch {
            self = .failure(error)
        }
    }
}
