import Telemetry
import Testing

@Suite("Time ranges")
struct TimeRangeTests {
    @Test("both ends are inside; ranges that only touch overlap")
    func closed() {
        let range = TimeRange(10, 20)
        #expect(range.contains(10) && range.contains(20) && !range.contains(21))
        #expect(range.overlaps(TimeRange(20, 30)))
        #expect(range.intersection(TimeRange(20, 30)) == TimeRange(20, 20))
        #expect(range.intersection(TimeRange(21, 30)).isEmpty)
        #expect(TimeRange.all.contains(.min) && TimeRange.all.contains(.max))
    }
}
