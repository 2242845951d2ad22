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
        guard !starts.isEmpty, index > 0 else { return false }
        let (start, previous) = (starts[index], times[index - 1])
        // A start that is not before its sample says nothing: OpenTelemetry writes it where it does not know.
        guard start != 0, start < times[index], start >= previous else { return false }
        if start > previous { return true }
        // Where the start is the sample before, that is a delta, unless nothing is known of that one's start either.
        let before = starts[index - 1]
        return before != 0 && before < previous
    }

    /// Whether some sample started before the one in front of it, though not together with it.
    var overlap: Bool {
        starts.indices.dropFirst().contains { index in
            starts[index] != 0 && starts[index] < times[index - 1] && starts[index] != starts[index - 1]
        }
    }

    /// When the counter of the first sample started, where that lies within the window: it was zero then.
    func zero(after windowStart: Int64) -> Int64? {
        guard let start = starts.first, let first = times.first, start != 0, start > windowStart, start < first else {
            return nil
        }
        return start
    }
}
