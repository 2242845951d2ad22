// `benchmarks [PART-OF-NAME] [RUNS]`: runs the benchmarks whose names hold the part, the best of RUNS (5) each.
// `benchmarks --once NAME…`: runs exactly those, once each, and prints their item counts: for callgrind (scripts/bench.sh --callgrind).

let all: [Benchmark] =
    codecBenchmarks() + partBenchmarks() + logBenchmarks() + indexBenchmarks() + spanBenchmarks() + collectorBenchmarks()

let arguments = Array(CommandLine.arguments.dropFirst())
if arguments.first == "--once" {
    for name in arguments.dropFirst() {
        guard let benchmark = all.first(where: { $0.name == name }) else { continue }
        _ = try benchmark.measure()
        print("\(benchmark.name)\t\(benchmark.itemCount)\t\(benchmark.unit)")
    }
} else {
    let runs = arguments.dropFirst().first.flatMap { Int($0) } ?? 5
    try printTable(all.filter { arguments.first.map($0.name.contains) ?? true }, runs: max(1, runs))
}

/// Measures and prints benchmarks in order; those of a group together, where its first one stands.
func printTable(_ benchmarks: [Benchmark], runs: Int) throws {
    var done: Set<String> = []
    for benchmark in benchmarks {
        var together = [benchmark]
        if let group = benchmark.group {
            guard done.insert(group).inserted else { continue }
            together = benchmarks.filter { $0.group == group }
        }
        var best = together.map { _ in Double.infinity }
        for _ in 0..<runs {
            for (index, benchmark) in together.enumerated() { best[index] = min(best[index], try benchmark.measure()) }
        }
        for (index, benchmark) in together.enumerated() {
            var line = "\(benchmark.name)  \(hundredths(best[index])) ns/\(benchmark.unit)"
            if together.count > 1 { line += "  × \(hundredths(best[index] / best[0]))" }
            print(line + "  \(benchmark.note())")
        }
    }
}

func hundredths(_ value: Double) -> String {
    let rounded = Int((value * 100).rounded())
    return "\(rounded / 100).\(rounded % 100 < 10 ? "0" : "")\(rounded % 100)"
}
