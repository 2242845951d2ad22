import Dispatch
import Glibc
import Synchronization
import Telemetry

/// Asks file systems for their figures, and does not wait for ever for those whose server is gone.
final class StatfsGuardian: Sendable {
    struct Failure: Error {
        var description: String
    }

    /// As long as node exporter waits (`--collector.filesystem.mount-timeout`).
    private static let patience = DispatchTimeInterval.seconds(5)
    /// Mount points whose last question has not been answered: they are not asked again until it is.
    private let stuck = Mutex<Set<String>>([])
    private let queue = DispatchQueue(label: "apus.statfs", attributes: .concurrent)

    /// - Parameter isRemote: whether the answer may never come; local file systems are asked without ado.
    func statistics(_ path: String, isRemote: Bool) -> Result<statvfs, Failure> {
        guard isRemote else { return Self.ask(path) }
        guard stuck.withLock({ $0.insert(path).inserted }) else { return .failure(Failure(description: "mountpoint timeout")) }
        let answer = Answer()
        queue.async {
            let outcome = Self.ask(path)
            answer.result.withLock { $0 = outcome }
            self.stuck.withLock { _ = $0.remove(path) }
            answer.ready.signal()
        }
        guard answer.ready.wait(timeout: .now() + Self.patience) == .success, let result = answer.result.withLock({ $0 }) else {
            return .failure(Failure(description: "mountpoint timeout"))
        }
        return result
    }

    private final class Answer: Sendable {
        let result = Mutex<Result<statvfs, Failure>?>(nil)
        let ready = DispatchSemaphore(value: 0)
    }

    private static func ask(_ path: String) -> Result<statvfs, Failure> {
        var figures = statvfs()
        guard statvfs(path, &figures) == 0 else { return .failure(Failure(description: errorName(errno))) }
        return .success(figures)
    }

    /// Go's words for an errno are C's in lower case: `permission denied`.
    private static func errorName(_ code: CInt) -> String { String(cString: strerror(code)).lowercased() }
}
