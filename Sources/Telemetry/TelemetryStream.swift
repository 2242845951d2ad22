/// The id of a stream within its store and signal. It says nothing about the labels and is never shown to a user.
package struct StreamID: Sendable, Hashable, Comparable {
    package var value: UInt64

    package init(_ value: UInt64) {
        self.value = value
    }

    package static func < (left: StreamID, right: StreamID) -> Bool { left.value < right.value }
}

/// A stream as the index knows it: one signal's rows under one label set.
///
/// Two streams of one signal are the same stream where their labels are the same; streams of spans, where their resources are.
package struct TelemetryStream: Sendable, Hashable {
    package var id: StreamID
    package var labels: Labels
    package var resource: Resource
    /// Where the store that handed it out has it: spares a search where it is still right, and is part of no comparison.
    package var hint: UInt32

    package init(id: StreamID, labels: Labels, resource: Resource = .unknown, hint: UInt32 = .max) {
        self.id = id
        self.labels = labels
        self.resource = resource
        self.hint = hint
    }

    package static func == (left: TelemetryStream, right: TelemetryStream) -> Bool {
        left.id == right.id && left.labels == right.labels && left.resource == right.resource
    }

    package func hash(into hasher: inout Hasher) {
        hasher.combine(id)
    }
}
