import Query
import Testing

@Suite("QueryContext")
struct QueryContextTests {
    @Test("a cancelled query stops at its next check")
    func cancelled() {
        let context = QueryContext()
        #expect(throws: Never.self) { try context.check() }
        context.cancel()
        let error = #expect(throws: QueryError.self) { try context.check() }
        #expect(error?.code == .cancelled)
    }

    @Test("a query past its deadline stops")
    func deadline() {
        var limits = QueryContext.Limits()
        limits.timeout = .zero
        let error = #expect(throws: QueryError.self) { try QueryContext(limits: limits).check() }
        #expect(error?.code == .timeout)
    }

    @Test("a query over its budget of samples or bytes stops")
    func budget() {
        var limits = QueryContext.Limits()
        limits.sampleCountMax = 10
        limits.byteCountMax = 10
        let context = QueryContext(limits: limits)
        #expect(throws: Never.self) { try context.read(samples: 10) }
        #expect(throws: QueryError.self) { try context.read(samples: 1) }
        #expect(throws: QueryError.self) { try context.reserve(bytes: 11) }
        #expect(context.bytesPeak == 11)
    }

    @Test("a place counts lines and columns from 1")
    func place() {
        let place = QueryError.Place(start: 6, end: 8, in: "ab\ncd\nef")
        #expect(place.line == 3)
        #expect(place.column == 1)
        #expect(QueryError(.parse, "no", at: place).description == "3:1: no")
    }
}
