import ArgumentParser

extension NameSpecification {
    /// A long name with one hyphen, as Litestream has it, and with two.
    static func both(_ name: String) -> NameSpecification {
        [.customLong(name), .customLong(name, withSingleDash: true)]
    }
}
