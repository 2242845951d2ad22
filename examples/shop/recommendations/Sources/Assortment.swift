import Tracing

/// Which products are bought together. There is no such data, so it is drawn from the ids: the same every time.
enum Assortment {
    private static let productCount = 20

    /// The products that go best with one, best first.
    static func bestPartners(of product: Int, count: Int) -> [Int] {
        withSpan("rank partners") { span in
            span.attributes["shop.product"] = product
            let ranked = (1...productCount).filter { $0 != product }.map { ($0, affinity(product, $0)) }.sorted {
                $0.1 > $1.1
            }
            return ranked.prefix(count).map(\.0)
        }
    }

    /// How well two products go together, from 0 to 1. Rounds enough to cost a moment, as a model would.
    private static func affinity(_ first: Int, _ second: Int) -> Double {
        var state = UInt64(truncatingIfNeeded: first) &* 0x9E37_79B9_7F4A_7C15 ^ UInt64(truncatingIfNeeded: second)
        for _ in 0..<2000 {
            state ^= state << 13
            state ^= state >> 7
            state ^= state << 17
        }
        return Double(state >> 11) / Double(1 << 53 as UInt64)
    }
}
