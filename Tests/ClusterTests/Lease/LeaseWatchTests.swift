import Testing

@testable import Cluster

@Suite struct LeaseWatchTests {
    private func moment(_ milliseconds: Int64) -> Moment { Moment(reading: .milliseconds(milliseconds)) }

    @Test("N14 A body that stands unchanged for the time to live and a tenth is expired")
    func expires() {
        var watch = LeaseWatch()
        #expect(!watch.isExpired(at: moment(0)))
        for time in stride(from: Int64(0), through: 6_600, by: 600) {
            watch.read(.sample(counter: 1), LeaseVersion(rawValue: "1"), at: moment(1_000 + time))
        }
        #expect(!watch.isExpired(at: moment(7_599)))
        #expect(watch.isExpired(at: moment(7_600)))
    }

    @Test("N14 Another version begins the time anew")
    func renewed() {
        var watch = LeaseWatch()
        for time in stride(from: Int64(0), through: 6_000, by: 600) {
            watch.read(.sample(counter: 1), LeaseVersion(rawValue: "1"), at: moment(time))
        }
        watch.read(.sample(counter: 2), LeaseVersion(rawValue: "2"), at: moment(6_500))
        #expect(!watch.isExpired(at: moment(13_099)))
        #expect(watch.isExpired(at: moment(13_100)))
    }

    @Test("N14 A gap between looks that could hide a renewal begins the time anew")
    func gap() {
        var watch = LeaseWatch()
        watch.read(.sample(counter: 1), LeaseVersion(rawValue: "1"), at: moment(0))
        watch.read(.sample(counter: 1), LeaseVersion(rawValue: "1"), at: moment(2_000))
        #expect(watch.isExpired(at: moment(6_600)))
        watch.read(.sample(counter: 1), LeaseVersion(rawValue: "1"), at: moment(4_001))
        #expect(!watch.isExpired(at: moment(6_600)))
    }
}
