/// A record that a container runtime wrote around a piece of a line.
struct ContainerRecord {
    var text: [UInt8]
    /// Nanoseconds since the Unix epoch.
    var timestamp: Int64?
    /// `stdout` or `stderr`.
    var stream: String?
    /// Whether the line goes on in the next record.
    var isPartial = false

    init?(_ bytes: [UInt8], format: TailConfiguration.Format) { return nil }
}
