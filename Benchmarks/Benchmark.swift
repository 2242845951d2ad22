import Glibc

/// One kernel under the stopwatch: what it does, over how many items.
///
/// Figures are the best of several runs: what the code can do, not what the machine was busy with. They are compared within one run
/// only (two ways of doing one thing, or this commit beside another), never asserted.
struct Benchmark {
    /// `codec/float/counter/encode`: area, thing, data, direction.
    let name: String
    /// What one item is: `sample`, `line`, `byte`.
    let unit: String
    let itemCount: Int
    /// Says more beside the time, as `0.66 B/sample`.
    var note: () -> String = { "" }
    /// Makes what the body works on; not measured.
    var prepare: () throws -> Void = {}
    let body: () throws -> Void

    /// The best CPU time of `runs` runs, in nanoseconds an item.
    func measure(runs: Int) throws -> Double {
        try prepare()
        var best = Double.infinity
        for _ in 0..<max(1, runs) {
            let start = Self.cpuNanoseconds()
            try body()
            best = min(best, Double(Self.cpuNanoseconds() - start) / Double(max(1, itemCount)))
        }
        return best
    }

    /// CPU time of the process: what waits for the disk does not count.
    private static func cpuNanoseconds() -> UInt64 {
        var time = timespec()
        clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time)
        return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
    }
}

/// Keeps the optimiser from dropping work whose result nobody looks at.
@inline(never)
func keep<Value>(_ value: Value) {}
