import Foundation
public import Logging

/// How a service is observed. ``fromEnvironment(service:version:_:)`` reads the variables that OpenTelemetry defines.
public struct ApusConfiguration: Sendable {
    /// `service.name` of its traces and `service` of its log lines.
    public var service: String
    /// `service.version`, if known.
    public var version: String?
    /// More attributes of the resource, such as `deployment.environment.name`.
    public var resourceAttributes: [String: String] = [:]
    /// Where spans go: the address of an OTLP/HTTP receiver with its path. nil: traces are propagated, not kept.
    public var tracesEndpoint: String? = "http://localhost:4318/v1/traces"
    /// Headers of every export, such as `authorization`.
    public var exportHeaders: [(name: String, value: String)] = []
    /// Log lines below this level are not written.
    public var logLevel: Logger.Level = .info
    /// The file that log lines are appended to; nil: standard output.
    public var logFile: String?
    /// Paths of requests that are measured but neither traced nor logged: those of what watches the service.
    public var quietPaths: Set<String> = ["/metrics", "/healthz"]

    /// A configuration with the defaults that the properties state.
    public init(service: String, version: String? = nil) {
        self.service = service
        self.version = version
    }

    /// Reads `OTEL_SERVICE_NAME`, `OTEL_RESOURCE_ATTRIBUTES`, `OTEL_EXPORTER_OTLP_ENDPOINT`,
    /// `OTEL_EXPORTER_OTLP_TRACES_ENDPOINT`, `OTEL_EXPORTER_OTLP_HEADERS`, `OTEL_SDK_DISABLED`, `LOG_LEVEL`,
    /// `LOG_FILE`.
    ///
    /// - Parameter environment: the variables; nil: those of the process.
    /// - Throws: ``ApusError/badEnvironment(variable:value:expected:)``.
    /// - SeeAlso: <https://opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables/>
    public static func fromEnvironment(
        service: String, version: String? = nil, _ environment: [String: String]? = nil
    ) throws -> ApusConfiguration {
        let environment = environment ?? ProcessInfo.processInfo.environment
        // An empty variable is an unset one, says OpenTelemetry.
        func value(_ name: String) -> String? {
            environment[name].flatMap { $0.isEmpty ? nil : $0 }
        }
        var configuration = ApusConfiguration(service: service, version: version)

        for (name, text) in try pairs(value("OTEL_RESOURCE_ATTRIBUTES"), variable: "OTEL_RESOURCE_ATTRIBUTES") {
            switch name {
            case "service.name": configuration.service = text
            case "service.version": configuration.version = text
            default: configuration.resourceAttributes[name] = text
            }
        }
        configuration.service = value("OTEL_SERVICE_NAME") ?? configuration.service
        configuration.exportHeaders = try pairs(
            value("OTEL_EXPORTER_OTLP_HEADERS"), variable: "OTEL_EXPORTER_OTLP_HEADERS")

        if let endpoint = value("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT") {
            configuration.tracesEndpoint = try checkedAddress(endpoint, variable: "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")
        } else if let endpoint = value("OTEL_EXPORTER_OTLP_ENDPOINT") {
            let base = try checkedAddress(endpoint, variable: "OTEL_EXPORTER_OTLP_ENDPOINT")
            configuration.tracesEndpoint = base + (base.hasSuffix("/") ? "v1/traces" : "/v1/traces")
        }
        if value("OTEL_SDK_DISABLED")?.lowercased() == "true" { configuration.tracesEndpoint = nil }

        if let text = value("LOG_LEVEL") {
            guard let level = LogLevelName.level(named: text) else {
                throw ApusError.badEnvironment(
                    variable: "LOG_LEVEL", value: text, expected: "trace, debug, info, warn, error or critical")
            }
            configuration.logLevel = level
        }
        configuration.logFile = value("LOG_FILE")
        return configuration
    }

    /// Reads `key=value,key=value` with percent-encoded values.
    private static func pairs(_ text: String?, variable: String) throws -> [(name: String, value: String)] {
        guard let text else { return [] }
        return try text.split(separator: ",").compactMap { pair in
            let trimmed = pair.trimmingCharacters(in: .whitespaces)
            if trimmed.isEmpty { return nil }
            guard let equals = trimmed.firstIndex(of: "="), equals != trimmed.startIndex,
                let value = String(trimmed[trimmed.index(after: equals)...]).removingPercentEncoding
            else {
                throw ApusError.badEnvironment(variable: variable, value: text, expected: "key=value,key=value")
            }
            let name = trimmed[..<equals].trimmingCharacters(in: .whitespaces)
            return (name, value.trimmingCharacters(in: .whitespaces))
        }
    }

    private static func checkedAddress(_ text: String, variable: String) throws -> String {
        guard let url = URL(string: text), url.scheme == "http" || url.scheme == "https", url.host?.isEmpty == false
        else {
            throw ApusError.badEnvironment(variable: variable, value: text, expected: "an http:// or https:// address")
        }
        return text
    }
}
