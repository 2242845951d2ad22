import Codecs

/// The columns' codecs over data as a fleet of Go services makes it.
func codecBenchmarks() -> [Benchmark] {
    var benchmarks: [Benchmark] = []
    for sampleCount in [240, 32, 4] {
        let fleet = FleetSeries(instanceCount: sampleCount == 240 ? 2 : 8, sampleCount: sampleCount, seed: 1)
        benchmarks += floatBenchmarks("float/\(sampleCount)/fleet", fleet.all)
        guard sampleCount == 240 else { continue }
        for kind in FleetSeries.Kind.allCases { benchmarks += floatBenchmarks("float/240/\(kind.rawValue)", fleet.columns[kind] ?? []) }
    }
    benchmarks += floatBenchmarks("float/240/constant", Array(repeating: Array(repeating: 1, count: 240), count: 100))
    var random = FleetSeries.Random(state: 5)
    benchmarks += floatBenchmarks(
        "float/240/few-changes", (0..<100).map { _ in steps(240, changeCount: 5, &random) })
    benchmarks += floatBenchmarks("float/240/decimals", (0..<100).map { _ in (0..<240).map { _ in Double(random.below(100_000)) / 1000 } })
    benchmarks += floatBenchmarks("float/240/random", (0..<100).map { _ in (0..<240).map { _ in random.unit() } })
    for count in [240, 32] {
        let jittered = (0..<100).map { _ in (0..<count).map { 1_795_348_800_000 + Int64($0) * 15_000 + Int64(random.below(6)) } }
        benchmarks += integerBenchmarks("integer/\(count)/scrapes", jittered)
    }
    benchmarks += comparison(FleetSeries(instanceCount: 2, sampleCount: 240, seed: 1).all)
    benchmarks += integerBenchmarks("integer/240/regular", [(0..<240).map { 1_795_348_800_000 + Int64($0) * 15_000 }])
    return benchmarks
}

/// Columns beside a general compressor over the same doubles.
private func comparison(_ columns: [[Double]]) -> [Benchmark] {
    let valueCount = columns.reduce(0) { $0 + $1.count }
    let raw = columns.map { column in
        column.flatMap { value in (0..<8).map { UInt8(truncatingIfNeeded: value.bitPattern >> UInt64(8 * $0)) } }
    }
    let compressor = ZstdCompressor()
    var (asColumns, asFrames): ([UInt8], [UInt8]) = ([], [])
    for column in columns { FloatColumn.append(column, to: &asColumns) }
    for bytes in raw { compressor.append(bytes.span, level: 1, to: &asFrames) }
    let byteCounts = (asColumns.count, asFrames.count)
    return [
        Benchmark(
            name: "codec/compare/240/fleet/column", unit: "value", itemCount: valueCount, note: { ratio(byteCounts.0, valueCount) },
            group: "codec/compare/240/fleet"
        ) {
            var bytes: [UInt8] = []
            for column in columns { FloatColumn.append(column, to: &bytes) }
            keep(bytes)
        },
        Benchmark(
            name: "codec/compare/240/fleet/zstd", unit: "value", itemCount: valueCount, note: { ratio(byteCounts.1, valueCount) },
            group: "codec/compare/240/fleet"
        ) {
            var bytes: [UInt8] = []
            for column in raw { compressor.append(column.span, level: 1, to: &bytes) }
            keep(bytes)
        },
    ]
}

private func steps(_ count: Int, changeCount: Int, _ random: inout FleetSeries.Random) -> [Double] {
    var changes = Set<Int>()
    while changes.count < changeCount { changes.insert(1 + random.below(count - 1)) }
    var value = Double(random.below(100))
    return (0..<count).map { index in
        if changes.contains(index) { value += Double(1 + random.below(3)) }
        return value
    }
}

/// Enough values a run for a steady figure.
private let valueCountMin = 1_000_000

private func floatBenchmarks(_ name: String, _ columns: [[Double]]) -> [Benchmark] {
    let valueCount = columns.reduce(0) { $0 + $1.count }
    let repeats = max(1, valueCountMin / max(1, valueCount))
    var bytes: [UInt8] = []
    for column in columns { FloatColumn.append(column, to: &bytes) }
    let encoded = bytes
    let note = { ratio(encoded.count, valueCount) }
    return [
        Benchmark(name: "codec/\(name)/encode", unit: "value", itemCount: valueCount * repeats, note: note) {
            var bytes: [UInt8] = []
            for _ in 0..<repeats {
                bytes.removeAll(keepingCapacity: true)
                for column in columns { FloatColumn.append(column, to: &bytes) }
            }
            keep(bytes)
        },
        Benchmark(name: "codec/\(name)/decode", unit: "value", itemCount: valueCount * repeats, note: note) {
            var values: [Double] = []
            for _ in 0..<repeats {
                var offset = 0
                for column in columns {
                    values.removeAll(keepingCapacity: true)
                    try FloatColumn.read(encoded.span, at: &offset, count: column.count, into: &values)
                }
            }
            keep(values)
        },
    ]
}

private func integerBenchmarks(_ name: String, _ columns: [[Int64]]) -> [Benchmark] {
    let valueCount = columns.reduce(0) { $0 + $1.count }
    let repeats = max(1, valueCountMin / max(1, valueCount))
    var bytes: [UInt8] = []
    for column in columns { IntegerColumn.append(column, to: &bytes) }
    let encoded = bytes
    let note = { ratio(encoded.count, valueCount) }
    return [
        Benchmark(name: "codec/\(name)/encode", unit: "value", itemCount: valueCount * repeats, note: note) {
            var bytes: [UInt8] = []
            for _ in 0..<repeats {
                bytes.removeAll(keepingCapacity: true)
                for column in columns { IntegerColumn.append(column, to: &bytes) }
            }
            keep(bytes)
        },
        Benchmark(name: "codec/\(name)/decode", unit: "value", itemCount: valueCount * repeats, note: note) {
            var values: [Int64] = []
            for _ in 0..<repeats {
                var offset = 0
                for column in columns {
                    values.removeAll(keepingCapacity: true)
                    try IntegerColumn.read(encoded.span, at: &offset, count: column.count, into: &values)
                }
            }
            keep(values)
        },
    ]
}

private func ratio(_ byteCount: Int, _ valueCount: Int) -> String {
    let thousandths = byteCount * 1000 / max(1, valueCount)
    let digits = String(thousandths % 1000)
    return "\(thousandths / 1000).\(String(repeating: "0", count: 3 - digits.count))\(digits) B/value"
}
