/// The speed of a transfer over its last seconds.
///
/// Pure: time is handed in, as the duration since the transfer began.
struct TransferRate: Sendable {
    /// How far back is looked.
    static let window: Duration = .seconds(5)
    /// The shortest time between two samples, which bounds their number.
    private static let spacing: Duration = .milliseconds(100)

    private var samples: [(time: Duration, bytes: Int64)] = [(.zero, 0)]

    /// Takes in how much was done at a time; times do not go back.
    mutating func note(_ bytes: Int64, at time: Duration) {
        if samples.count > 1, let last = samples.last, time - last.time < Self.spacing { samples.removeLast() }
        samples.append((time, bytes))
        // One sample older than the window stays, so that a slow transfer has a speed at all.
        while samples.count > 2, time - samples[1].time >= Self.window { samples.removeFirst() }
    }

    /// Bytes a second; `nil` before there is anything to measure.
    var bytesPerSecond: Double? {
        guard let first = samples.first, let last = samples.last, last.time > first.time else { return nil }
        let (bytes, seconds) = (Double(last.bytes - first.bytes), (last.time - first.time) / .seconds(1))
        return bytes > 0 ? bytes / seconds : nil
    }

    /// The time that `bytes` more will take at this speed; `nil` where that is not known, or is beyond 100 days.
    func remaining(for bytes: Int64) -> Duration? {
        guard bytes > 0 else { return .zero }
        guard let bytesPerSecond else { return nil }
        let seconds = (Double(bytes) / bytesPerSecond).rounded(.up)
        return seconds < 8_640_000 ? .seconds(Int64(seconds)) : nil
    }
}
