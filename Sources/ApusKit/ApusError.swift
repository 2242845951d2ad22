/// What keeps a backend from being set up: each says what to change.
public enum ApusError: Error, Equatable, CustomStringConvertible {
    /// ``Apus/bootstrap(service:version:)`` was called a second time.
    case alreadyBootstrapped
    /// A variable of the environment has a value that it cannot have.
    case badEnvironment(variable: String, value: String, expected: String)
    /// The log file cannot be opened; `errno` as the system gave it.
    case logFile(path: String, errno: Int32)

    public var description: String {
        switch self {
        case .alreadyBootstrapped:
            "Apus.bootstrap was called twice; call it once, first thing in the program"
        case .badEnvironment(let variable, let value, let expected):
            "\(variable) is \"\(value)\"; it must be \(expected)"
        case .logFile(let path, let errno):
            "LOG_FILE: \(path) cannot be opened for appending (\(systemMessage(errno)))"
        }
    }
}
