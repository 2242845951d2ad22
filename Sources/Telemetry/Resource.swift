/// The attributes that say who sent a piece of telemetry: service, version, host, pod… One resource is the same value in all
/// four signals, which is what joins them.
package struct Resource: Sendable, Hashable {
    /// In the order in which they came.
    package var attributes: [Attribute]

    package init(_ attributes: [Attribute] = []) {
        self.attributes = attributes
    }

    /// Nobody known.
    package static let unknown = Resource()

    /// `service.name`, or `unknown_service` as OpenTelemetry's SDKs say where there is none.
    package var serviceName: String {
        if case .string(let name)? = attributes["service.name"], !name.isEmpty { return name }
        return "unknown_service"
    }

    /// Its attributes as labels, values as text: the labels of a stream of spans.
    package var labels: Labels {
        Labels(attributes.map { Label($0.name, $0.value.text) })
    }
}
