import Formats
import Foundation
package import Logging
import Telemetry
import Synchronization

/// How the server writes its own log, on standard error.
package enum LogFormat: String, Sendable, CaseIterable {
    /// `2026-01-02T03:04:05.678Z info message key=value`
    case plain
    /// One JSON object a line: `ts`, `level`, `msg`, and the metadata.
    case json

    /// A handler for `LoggingSystem.bootstrap`.
    package func handler(level: Logger.Level) -> any LogHandler {
        LineLogHandler(format: self, logLevel: level)
    }
}

/// Writes a line per record.
struct LineLogHandler: LogHandler {
    let format: LogFormat
    var logLevel: Logger.Level
    var metadata: Logger.Metadata = [:]
    var metadataProvider: Logger.MetadataProvider?
    var write: @Sendable (String) -> Void = StandardError.write

    init(format: LogFormat, logLevel: Logger.Level) {
        self.format = format
        self.logLevel = logLevel
    }

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    func log(event: LogEvent) {
        var merged = metadata
        if let provided = metadataProvider?.get() { merged.merge(provided) { $1 } }
        if let given = event.metadata { merged.merge(given) { $1 } }
        let pairs = merged.map { (key: $0.key, value: "\($0.value)") }.sorted { $0.key < $1.key }
        let time = RFC3339.text(nanoseconds: TimeSource.system.nanoseconds, digits: 3)
        switch format {
        case .plain:
            let fields = pairs.map { " \($0.key)=\(Self.quotedIfNeeded($0.value))" }.joined()
            write("\(time) \(event.level.rawValue) \(event.message)\(fields)\n")
        case .json:
            var line = "{\"ts\":\"\(time)\",\"level\":\"\(event.level.rawValue)\",\"msg\":\(AttributeValue.jsonString("\(event.message)"))"
            for pair in pairs { line += ",\(AttributeValue.jsonString(pair.key)):\(AttributeValue.jsonString(pair.value))" }
            write(line + "}\n")
        }
    }

    private static func quotedIfNeeded(_ value: String) -> String {
        let isPlain = !value.isEmpty && value.utf8.allSatisfy { $0 > UInt8(ascii: " ") && $0 != UInt8(ascii: "\"") && $0 != UInt8(ascii: "=") && $0 < 0x7f }
        return isPlain ? value : AttributeValue.jsonString(value)
    }
}

/// Standard error, a whole line at a time.
enum StandardError {
    private static let lock = Mutex(())

    @Sendable static func write(_ line: String) {
        lock.withLock { _ in FileHandle.standardError.write(Data(line.utf8)) }
    }
}
