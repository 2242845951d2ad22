import Codecs

/// The columns' codecs over data as a fleet of Go services makes it.
func codecBenchmarks() -> [Benchmark] {
    var state: UInt64 = 1
    func random(_ bound: UInt64) -> UInt64 {
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        return (state >> 33) % bound
    }
    var total = 0.0
    let counter = (0..<240).map { _ in
        total += Double(random(50))
        return total
    }
    var benchmarks: [Benchmark] = []
    var bytes: [UInt8] = []
    FloatColumn.append(counter, to: &bytes)
    let encoded = bytes
    let note = "\(encoded.count) B for \(counter.count) values"
    benchmarks.append(
        Benchmark(name: "codec/float/counter/encode", unit: "value", itemCount: counter.count * 1000, note: { note }) {
            for _ in 0..<1000 {
                var bytes: [UInt8] = []
                FloatColumn.append(counter, to: &bytes)
                keep(bytes)
            }
        })
    benchmarks.append(
        Benchmark(name: "codec/float/counter/decode", unit: "value", itemCount: counter.count * 1000, note: { note }) {
            for _ in 0..<1000 {
                var offset = 0
                keep(try FloatColumn.read(encoded.span, at: &offset, count: counter.count))
            }
        })
    return benchmarks
}
