import SystemPackage
import Yams

/// Timing that databases and replicas ask for, and that there is once for all of them.
extension ConfigurationDecoder {
    /// Puts what databases ask for into the global values, where the top level says nothing.
    func promote(
        _ shared: SharedTiming,
        into result: inout ReplicationConfiguration,
        top: MappingReader
    ) throws(ConfigurationError) {
        let snapshot = try top.mapping("snapshot")
        if let interval = try promoted(
            shared.snapshotInterval,
            isSet: snapshot?.node("interval") != nil,
            value: result.snapshot.interval,
            name: "snapshot.interval",
            outdated: outdatedDuration("snapshot-interval", successor: "snapshot.interval", in: top),
        ) {
            result.snapshot.interval = interval
        }
        // A scalar `retention` is the habit of 0.3; a mapping is the switch of 0.5.
        let isOutdated = top.node("retention")?.scalar != nil
        if let retention = try promoted(
            shared.snapshotRetention,
            isSet: snapshot?.node("retention") != nil,
            value: result.snapshot.retention,
            name: "snapshot.retention",
            outdated: isOutdated ? outdatedDuration("retention", successor: "snapshot.retention", in: top) : nil,
        ) {
            result.snapshot.retention = retention
        }
        result.retentionCheckInterval = shared.retentionCheckInterval.min()
    }

    /// A duration under a key of 0.3, with the warning that names its successor.
    func outdatedDuration(
        _ key: String,
        successor: String,
        in reader: MappingReader
    ) throws(ConfigurationError) -> Duration? {
        guard let duration = try reader.duration(key) else { return nil }
        guard duration > .zero else { throw reader.invalid(key, "must be greater than 0") }
        warn(
            .outdated,
            "'\(key)' is a key of Litestream 0.3: it is taken as '\(successor)', write that instead",
            at: reader.keyLocation(key),
        )
        return duration
    }

    /// The value that all databases agree on; `nil` leaves the global one.
    private func promoted(
        _ wishes: [SharedDuration],
        isSet: Bool,
        value: Duration,
        name: String,
        outdated: Duration?
    ) throws(ConfigurationError) -> Duration? {
        if isSet || outdated != nil {
            let global = isSet ? value : outdated ?? value
            for wish in wishes where wish.value != global {
                warn(
                    .ignored,
                    "\(wish.keyPath) has no effect: the top level's \(name) of \(DurationText.format(global)) counts "
                        + "for all databases",
                    at: place(of: wish.keyPath),
                )
            }
            return isSet ? nil : outdated
        }
        guard let first = wishes.first else { return nil }
        for wish in wishes where wish.value != first.value {
            throw ConfigurationError(
                .conflict,
                "conflicting \(name): \(first.database) has \(DurationText.format(first.value)), \(wish.database) has "
                    + "\(DurationText.format(wish.value)); there is one for all databases: set it at the top level",
                location: place(of: wish.keyPath),
            )
        }
        return first.value
    }
}
