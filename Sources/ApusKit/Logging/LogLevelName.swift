import Logging

/// The names of levels in a log line: those that zap and most others write, where they have one.
enum LogLevelName {
    static func name(of level: Logger.Level) -> String {
        switch level {
        case .trace: "trace"
        case .debug: "debug"
        case .info, .notice: "info"
        case .warning: "warn"
        case .error: "error"
        case .critical: "critical"
        }
    }

    static func level(named text: String) -> Logger.Level? {
        switch text.lowercased() {
        case "warn": .warning
        case "fatal": .critical
        case let name: Logger.Level(rawValue: name)
        }
    }
}
