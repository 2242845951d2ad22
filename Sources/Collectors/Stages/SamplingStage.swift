import Settings
import Telemetry

/// `sampling`: keeps a share of the lines.
struct SamplingStage: Stage {
    private let rate: Double
    private let reason: String
    private var state: UInt64
    private var metrics: StageMetrics?

    init(_ options: StageOptions, _ context: inout StageContext) throws(ConfigurationError) {
        let fields = try options.reading(["rate", "drop_counter_reason"], &context)
        let node = fields["rate"]
        rate = try node?.double ?? 0
        guard (0...1).contains(rate) else { throw (node ?? fields.place).error("the sampling rate must be between 0.0 and 1.0, found \(rate)") }
        let reason = try fields.string("drop_counter_reason") ?? ""
        self.reason = reason.isEmpty ? "sampling_stage" : reason
        state = .random(in: .min ... .max)
    }

    mutating func bind(_ environment: StageEnvironment) {
        metrics = environment.metrics
        state = .random(in: .min ... .max)
    }

    mutating func process(_: inout StageEntry, _: inout StageRun) -> Bool {
        // SplitMix64 (Steele, Lea, Flood, "Fast Splittable Pseudorandom Number Generators").
        state &+= 0x9e37_79b9_7f4a_7c15
        var value = state
        value = (value ^ (value >> 30)) &* 0xbf58_476d_1ce4_e5b9
        value = (value ^ (value >> 27)) &* 0x94d0_49bb_1331_11eb
        value ^= value >> 31
        if Double(value >> 11) * 0x1p-53 < rate { return true }
        metrics?.dropped(reason: reason)
        return false
    }
}
