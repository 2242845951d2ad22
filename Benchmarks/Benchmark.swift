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
    /// Benchmarks of one group do the same job in different ways: their runs take turns, and each is compared with the first of them.
    var group: String?
    let body: () throws -> Void

    init(
        name: String, unit: String, itemCount: Int, note: @escaping () -> String = { "" },
        prepare: @escaping () throws -> Void = {}, group: String? = nil, body: @escaping () throws -> Void
    ) {
        self.name = name
        self.unit = unit
        self.itemCount = itemCount
        self.note = note
        self.prepare = prepare
        self.group = group
        self.body = body
    }

    /// The CPU time of one run, in nanoseconds an item.
    func measure() throws -> Double {
        try prepare()
        let start = Self.cpuNanoseconds()
        try measuredBody(body)
        return Double(Self.cpuNanoseconds() - start) / Double(max(1, itemCount))
    }

    /// CPU time of the process: what waits for the disk does not count.
    private static func cpuNanoseconds() -> UInt64 {
        var time = timespec()
        clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time)
        return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
    }
}

/// Runs a benchmark's body. Callgrind counts what happens in here, and knows it by its name (scripts/bench.sh).
@inline(never)
func measuredBody(_ body: () throws -> Void) throws {
    try body()
}

/// Keeps the optimiser from dropping work whose result nobody looks at.
@inline(never)
func keep<Value>(_ value: Value) {}
