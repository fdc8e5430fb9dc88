import Testing

/// The suites that load the machine or measure it: they run after one another.
@Suite(.serialized) enum OneAtATime {}
