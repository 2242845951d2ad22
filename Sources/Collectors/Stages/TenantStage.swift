import Settings
import Telemetry

/// `tenant`: for whom a line is.
struct TenantStage: Stage {
    private enum Origin {
        case label(String)
        case source(String)
        case value(String)
    }

    private let origin: Origin

    init(_ options: StageOptions, _ context: inout StageContext) throws(ConfigurationError) {
        let fields = try options.reading(["label", "source", "value"], &context)
        var origins: [Origin] = []
        if let name = try fields.string("label"), !name.isEmpty { origins.append(.label(name)) }
        if let name = try fields.string("source"), !name.isEmpty { origins.append(.source(name)) }
        if let value = try fields.string("value"), !value.isEmpty { origins.append(.value(value)) }
        guard let origin = origins.first else { throw fields.place.error("one of label, source and value is required") }
        guard origins.count == 1 else { throw fields.place.error("label, source and value are mutually exclusive: set one of them") }
        self.origin = origin
    }

    mutating func process(_ entry: inout StageEntry, _: inout StageRun) -> Bool {
        let tenant =
            switch origin {
            case .label(let name): entry.labels[name]
            case .source(let name): entry.extracted[name]?.text
            case .value(let value): value
            }
        if let tenant, !tenant.isEmpty { entry.labels[LogRecord.tenantLabel] = tenant }
        return true
    }
}
