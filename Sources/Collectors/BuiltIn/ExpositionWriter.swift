import Telemetry

/// Writes Prometheus' text format, version 0.0.4.
struct ExpositionWriter {
    private(set) var bytes: [UInt8] = []

    mutating func header(_ metadata: MetricMetadata) {
        let kind = metadata.kind == .unknown ? "untyped" : metadata.kind.rawValue
        let help = metadata.help.replacing("\\", with: "\\\\").replacing("\n", with: "\\n")
        bytes += Array("# HELP \(metadata.family) \(help)\n# TYPE \(metadata.family) \(kind)\n".utf8)
    }

    mutating func sample(_ name: String, _ labels: some Sequence<(String, String)>, _ value: Double) {
        bytes += Array(name.utf8)
        var isFirst = true
        for (name, value) in labels {
            bytes.append(UInt8(ascii: isFirst ? "{" : ","))
            isFirst = false
            bytes += Array("\(name)=\"\(Self.escaped(value))\"".utf8)
        }
        bytes += Array("\(isFirst ? "" : "}") \(Self.number(value))\n".utf8)
    }

    static func number(_ value: Double) -> String {
        if value.isNaN { return "NaN" }
        if value.isInfinite { return value < 0 ? "-Inf" : "+Inf" }
        return value == value.rounded() && abs(value) < 1e15 ? String(Int64(value)) : "\(value)"
    }

    private static func escaped(_ value: String) -> String {
        value.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"").replacing("\n", with: "\\n")
    }
}
