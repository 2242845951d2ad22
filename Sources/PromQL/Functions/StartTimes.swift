/// What start timestamps tell of a window's samples: since when each of them counts (Prometheus' feature `st-storage`).
struct StartTimes {
    private let starts: UnsafeBufferPointer<Int64>
    private let times: UnsafeBufferPointer<Int64>

    /// - Parameter starts: as many as `times`, 0 for unknown; or none.
    init(_ starts: UnsafeBufferPointer<Int64>, _ times: UnsafeBufferPointer<Int64>) {
        self.starts = starts
        self.times = times
    }

    /// Whether the counter of a sample started after the sample before it, so that all of it is new.
    func isNew(_ index: Int) -> Bool {
        guard !starts.isEmpty, index > 0, starts[index] != 0 else { return false }
        return starts[index] >= times[index - 1] && starts[index] <= times[index]
    }

    /// When the counter of the first sample started, where that lies within the window: it was zero then.
    func zero(after windowStart: Int64) -> Int64? {
        guard let start = starts.first, let first = times.first, start != 0, start > windowStart, start <= first else {
            return nil
        }
        return start
    }
}
