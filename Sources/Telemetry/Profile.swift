/// One profile of one type: how much of a resource each stack took within a stretch of time.
package struct Profile: Sendable, Hashable {
    /// One line of a stack.
    package struct Frame: Sendable, Hashable {
        package var function: String
        package var file: String
        package var line: Int64

        package init(function: String, file: String = "", line: Int64 = 0) {
            self.function = function
            self.file = file
            self.line = line
        }
    }

    /// When it was taken: nanoseconds since the Unix epoch.
    package var timestamp: Int64
    /// The time that it covers, in nanoseconds; 0 for an instant (heap, goroutines).
    package var duration: Int64
    /// Every frame that a stack names.
    package var frames: [Frame]
    /// Each stack as indexes into ``frames``, root first.
    package var stacks: [[UInt32]]
    /// The value of each stack, in the unit of the profile's type; as many as ``stacks``.
    package var values: [Int64]

    package init(timestamp: Int64, duration: Int64, frames: [Frame], stacks: [[UInt32]], values: [Int64]) {
        self.timestamp = timestamp
        self.duration = duration
        self.frames = frames
        self.stacks = stacks
        self.values = values
    }
}

/// What a profile measures, in Pyroscope's notation `process_cpu:cpu:nanoseconds:cpu:nanoseconds`.
/// A stream of profiles carries it in its label ``labelName``.
package struct ProfileType: Sendable, Hashable, CustomStringConvertible {
    package static let labelName = "__profile_type__"
    /// The label that names the service, as Pyroscope does.
    package static let serviceLabelName = "service_name"

    /// `process_cpu`, `memory`, `goroutine`, `mutex`, `block`.
    package var name: String
    /// `cpu`, `inuse_space`, `alloc_objects`, …
    package var sampleType: String
    package var sampleUnit: String
    package var periodType: String
    package var periodUnit: String

    package init(name: String, sampleType: String, sampleUnit: String, periodType: String, periodUnit: String) {
        self.name = name
        self.sampleType = sampleType
        self.sampleUnit = sampleUnit
        self.periodType = periodType
        self.periodUnit = periodUnit
    }

    /// Reads the five parts; nil where there are not five.
    package init?(_ text: String) {
        let parts = text.split(separator: ":", omittingEmptySubsequences: false).map(String.init)
        guard parts.count == 5, !parts[0].isEmpty, !parts[1].isEmpty else { return nil }
        self.init(name: parts[0], sampleType: parts[1], sampleUnit: parts[2], periodType: parts[3], periodUnit: parts[4])
    }

    package var description: String { "\(name):\(sampleType):\(sampleUnit):\(periodType):\(periodUnit)" }
}
