import Telemetry
import TestSupport
import Testing

@testable import Alerting

@Suite("AlertStateMachine")
struct AlertStateMachineTests {
    /// One evaluation a minute: whether the expression holds (x), and the state after it (inactive, pending, firing, - for none).
    struct Case: Sendable, CustomTestStringConvertible {
        var name: String
        var hold: Int
        var keep: Int
        var held: String
        var states: String
        var testDescription: String { name }
    }

    static let cases: [Case] = [
        Case(name: "fires at once without for", hold: 0, keep: 0, held: "x", states: "f"),
        Case(name: "pends until for has passed", hold: 2, keep: 0, held: "xxxx", states: "ppff"),
        Case(name: "a gap starts for anew", hold: 2, keep: 0, held: "xx.xxx", states: "pp-ppf"),
        Case(name: "fires again after it was resolved", hold: 1, keep: 0, held: "xx.xx", states: "pfipf"),
        Case(name: "keeps firing", hold: 0, keep: 2, held: "x....", states: "fffii"),
        Case(
            name: "keep_firing_for starts anew when the expression holds again", hold: 0, keep: 2, held: "x.x....",
            states: "fffffii"),
        Case(name: "a pending alert is not kept", hold: 2, keep: 5, held: "x.", states: "p-"),
    ]

    @Test("each sequence leads through Prometheus' states", arguments: cases)
    func states(_ test: Case) throws {
        var machine = AlertStateMachine(holdDuration: .seconds(60 * test.hold), keepFiringFor: .seconds(60 * test.keep))
        let labels = Labels(["alertname": "A", "instance": "x"])
        var states = ""
        for (minute, held) in test.held.enumerated() {
            let time = Int64(minute) * 60_000
            try machine.update(
                held == "x" ? [Alert(labels: labels, value: Double(minute), activeAt: time)] : [], at: time)
            states += machine.alerts[labels].map { String($0.state.rawValue.prefix(1)) } ?? "-"
        }
        #expect(states == test.states)
    }

    @Test("a resolved alert is forgotten after 15 minutes")
    func retention() throws {
        var machine = AlertStateMachine(holdDuration: .zero, keepFiringFor: .zero)
        try machine.update([Alert(labels: Labels(["alertname": "A"]), value: 1, activeAt: 0)], at: 0)
        try machine.update([], at: 60_000)
        try machine.update([], at: 60_000 + 900_000)
        #expect(machine.alerts.count == 1)
        try machine.update([], at: 60_000 + 900_001)
        #expect(machine.alerts.isEmpty)
    }

    @Test("two series with the same labels fail the rule; so do more alerts than the limit")
    func failures() throws {
        var machine = AlertStateMachine(holdDuration: .zero, keepFiringFor: .zero)
        let alert = Alert(labels: Labels(["alertname": "A"]), value: 1, activeAt: 0)
        #expect(throws: AlertStateMachine.Failure.self) { try machine.update([alert, alert], at: 0) }
        let other = Alert(labels: Labels(["alertname": "A", "x": "y"]), value: 1, activeAt: 0)
        let error = try #require(throws: AlertStateMachine.Failure.self) {
            try machine.update([alert, other], at: 0, limit: 1)
        }
        #expect(error.description == "exceeded limit of 1 with 2 alerts")
        #expect(machine.alerts.isEmpty)
    }

    @Test("the notifier hears when an alert fires, when it still does after the delay, and when it is resolved")
    func sending() throws {
        var machine = AlertStateMachine(holdDuration: .seconds(60), keepFiringFor: .zero)
        let labels = Labels(["alertname": "A"])
        func step(_ seconds: Int64, holds: Bool) throws -> [AlertState] {
            try machine.update(
                holds ? [Alert(labels: labels, value: 1, activeAt: seconds * 1_000)] : [], at: seconds * 1_000)
            return machine.takeUnsent(at: seconds * 1_000, resendDelay: .seconds(60), interval: .seconds(15)).map(
                \.state)
        }
        #expect(try step(0, holds: true) == [])
        #expect(try step(60, holds: true) == [.firing])
        #expect(try step(75, holds: true) == [])
        #expect(try step(121, holds: true) == [.firing])
        #expect(try step(136, holds: false) == [.inactive])
        #expect(try step(151, holds: false) == [])
    }

    @Test("the fingerprint is FNV-1a over names and values, each ended by 0xff")
    func fingerprint() {
        #expect(Alert.fingerprint(.empty) == 14_695_981_039_346_656_037)
        var hash: UInt64 = 14_695_981_039_346_656_037
        for byte in Array("a".utf8) + [255] + Array("b".utf8) + [255] {
            hash = (hash ^ UInt64(byte)) &* 1_099_511_628_211
        }
        #expect(Alert.fingerprint(Labels(["a": "b"])) == hash)
    }

    @Test(
        "after a restart for goes on with what was left of it",
        arguments: [
            // Active since, last seen, and now, in seconds; the state after the restart, and the second at which it fires.
            (0, 30, 40, AlertState.pending, 70), (0, 60, 100, .firing, 100), (0, 59, 1_000, .pending, 1_001),
        ] as [(Int64, Int64, Int64, AlertState, Int64)])
    func restore(activeAt: Int64, lastSeen: Int64, now: Int64, state: AlertState, firesAt: Int64) throws {
        var machine = AlertStateMachine(holdDuration: .seconds(60), keepFiringFor: .zero)
        let labels = Labels(["alertname": "A"])
        try machine.update([Alert(labels: labels, value: 1, activeAt: now * 1_000)], at: now * 1_000)
        machine.restore(labels, activeAt: activeAt * 1_000, lastSeen: lastSeen * 1_000, now: now * 1_000)
        #expect(machine.alerts[labels]?.state == state)
        try machine.update([Alert(labels: labels, value: 1, activeAt: firesAt * 1_000)], at: firesAt * 1_000)
        #expect(machine.alerts[labels]?.state == .firing)
        #expect(machine.alerts[labels]?.firedAt == firesAt * 1_000)
    }
}
