import Collectors

/// Rounds of what Apus measures itself; files of the kernel are most of it.
func collectorBenchmarks() -> [Benchmark] {
    [("host", BuiltInRound.host), ("containers", BuiltInRound.containers)].map { name, round in
        let count = 20
        var samples = 0
        return Benchmark(
            name: "collect/\(name)", unit: "round", itemCount: count, note: { "\(samples) samples" },
            // The first round meets every series for the first time.
            prepare: { samples = round.run() }
        ) {
            for _ in 0..<count { keep(round.run()) }
        }
    }
}
