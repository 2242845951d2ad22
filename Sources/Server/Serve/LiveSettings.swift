import Synchronization

/// The settings that a reload may change while requests are under way.
final class LiveSettings: Sendable {
    struct Values: Sendable {
        var access: Access
        var bodyByteCountMax = 64 << 20
        /// How long log lines are kept: older ones are not taken.
        var logRetention: Duration = .seconds(30 * 86_400)
    }

    private let values: Mutex<Values>

    init(_ values: Values) {
        self.values = Mutex(values)
    }

    var current: Values { values.withLock { $0 } }

    func replace(_ new: Values) {
        values.withLock { $0 = new }
    }
}
