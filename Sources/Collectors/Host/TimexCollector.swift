import CIntrinsics
import Glibc
import Telemetry

/// `node_timex_*`: how well the kernel's clock is kept (adjtimex(2)).
struct TimexCollector: HostCollector {
    private static let synchronized = gauge("sync_status", "Is clock synchronized to a reliable server (1 = yes, 0 = no).")
    private static let offset = gauge("offset_seconds", "Time offset in between local system and reference clock.")
    private static let frequency = gauge("frequency_adjustment_ratio", "Local clock frequency adjustment.")
    private static let maximumError = gauge("maxerror_seconds", "Maximum error in seconds.")
    private static let estimatedError = gauge("estimated_error_seconds", "Estimated error in seconds.")
    private static let status = gauge("status", "Value of the status array bits.")
    private static let constant = gauge("loop_time_constant", "Phase-locked loop time constant.")
    private static let tick = gauge("tick_seconds", "Seconds between clock ticks.")
    private static let pulseFrequency = gauge("pps_frequency_hertz", "Pulse per second frequency.")
    private static let jitter = gauge("pps_jitter_seconds", "Pulse per second jitter.")
    private static let shift = gauge("pps_shift_seconds", "Pulse per second interval duration.")
    private static let stability = gauge("pps_stability_hertz", "Pulse per second stability, average of recent frequency changes.")
    private static let jitterCount = counter("pps_jitter_total", "Pulse per second count of jitter limit exceeded events.")
    private static let calibrationCount = counter("pps_calibration_total", "Pulse per second count of calibration intervals.")
    private static let errorCount = counter("pps_error_total", "Pulse per second count of calibration errors.")
    private static let stabilityCount = counter(
        "pps_stability_exceeded_total", "Pulse per second count of stability limit exceeded events.")
    private static let atomicOffset = gauge("tai_offset_seconds", "International Atomic Time (TAI) offset.")

    /// The bit of the status that says that times are in nanoseconds, not microseconds (adjtimex(2), STA_NANO).
    private static let nanosecondsBit: CInt = 0x2000
    /// What adjtimex returns where the clock is not synchronised (TIME_ERROR).
    private static let timeError: CInt = 5
    /// Frequencies are parts per million with a fraction of 16 bits (adjtimex(2), "NOTES").
    private static let frequencyUnit = 1e6 * 65_536

    mutating func collect(_ round: inout HostRound) throws(HostCollectorError) {
        let state = apus_read_clock()
        // A sandbox may forbid to look at the clock, for fear of its being set.
        if state.result < 0, state.error == EPERM { throw .noData }
        guard state.result >= 0 else { throw .failed("adjtimex: \(String(cString: strerror(state.error)))") }
        let unit = state.status & Self.nanosecondsBit != 0 ? 1e9 : 1e6
        round.recorder.add(Self.synchronized, state.result == Self.timeError ? 0 : 1)
        round.recorder.add(Self.offset, Double(state.offset) / unit)
        round.recorder.add(Self.frequency, 1 + Double(state.frequency) / Self.frequencyUnit)
        round.recorder.add(Self.maximumError, Double(state.maxerror) / 1e6)
        round.recorder.add(Self.estimatedError, Double(state.esterror) / 1e6)
        round.recorder.add(Self.status, Double(state.status))
        round.recorder.add(Self.constant, Double(state.constant))
        round.recorder.add(Self.tick, Double(state.tick) / 1e6)
        round.recorder.add(Self.pulseFrequency, Double(state.ppsfreq) / Self.frequencyUnit)
        round.recorder.add(Self.jitter, Double(state.jitter) / unit)
        round.recorder.add(Self.shift, Double(state.shift))
        round.recorder.add(Self.stability, Double(state.stabil) / Self.frequencyUnit)
        round.recorder.add(Self.jitterCount, Double(state.jitcnt))
        round.recorder.add(Self.calibrationCount, Double(state.calcnt))
        round.recorder.add(Self.errorCount, Double(state.errcnt))
        round.recorder.add(Self.stabilityCount, Double(state.stbcnt))
        round.recorder.add(Self.atomicOffset, Double(state.tai))
    }

    private static func gauge(_ name: String, _ help: String) -> MetricFamily { MetricFamily("node_timex_" + name, .gauge, help) }
    private static func counter(_ name: String, _ help: String) -> MetricFamily { MetricFamily("node_timex_" + name, .counter, help) }
}
