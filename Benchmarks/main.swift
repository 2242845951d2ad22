// `benchmarks [PART-OF-NAME] [RUNS]`: runs the benchmarks whose names hold the part, the best of RUNS (5) each.

let arguments = CommandLine.arguments.dropFirst()
let wanted = arguments.first ?? ""
let runs = arguments.dropFirst().first.flatMap { Int($0) } ?? 5

let all: [Benchmark] = codecBenchmarks() + partBenchmarks()
for benchmark in all where wanted.isEmpty || benchmark.name.contains(wanted) {
    let nanoseconds = try benchmark.measure(runs: runs)
    let hundredths = Int((nanoseconds * 100).rounded())
    let fraction = hundredths % 100
    print("\(benchmark.name)  \(hundredths / 100).\(fraction < 10 ? "0" : "")\(fraction) ns/\(benchmark.unit)  \(benchmark.note())")
}
