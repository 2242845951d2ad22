import ApusKit
import Logging
import Testing

@Suite("ApusConfiguration")
struct ApusConfigurationTests {
    @Test("OpenTelemetry's variables are heeded")
    func variables() throws {
        let configuration = try ApusConfiguration.fromEnvironment(
            service: "a", version: "1",
            [
                "OTEL_SERVICE_NAME": "b",
                "OTEL_RESOURCE_ATTRIBUTES": "service.version=2, deployment.environment.name=a%20b,service.name=c",
                "OTEL_EXPORTER_OTLP_ENDPOINT": "http://h:1/", "OTEL_EXPORTER_OTLP_HEADERS": "Authorization=Bearer%20t",
                "LOG_LEVEL": "WARN", "LOG_FILE": "",
            ])
        #expect(configuration.service == "b")
        #expect(configuration.version == "2")
        #expect(configuration.resourceAttributes == ["deployment.environment.name": "a b"])
        #expect(configuration.tracesEndpoint == "http://h:1/v1/traces")
        #expect(configuration.exportHeaders.map(\.value) == ["Bearer t"])
        #expect(configuration.logLevel == .warning)
        #expect(configuration.logFile == nil)
    }

    @Test("without variables it is the collector on the same machine")
    func defaults() throws {
        let configuration = try ApusConfiguration.fromEnvironment(service: "a", [:])
        #expect(configuration.tracesEndpoint == "http://localhost:4318/v1/traces")
    }

    @Test("the traces' own endpoint is taken as it stands, and the SDK can be turned off")
    func endpoints() throws {
        let own = try ApusConfiguration.fromEnvironment(
            service: "a", ["OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "https://h/x"])
        #expect(own.tracesEndpoint == "https://h/x")
        let off = try ApusConfiguration.fromEnvironment(service: "a", ["OTEL_SDK_DISABLED": "TRUE"])
        #expect(off.tracesEndpoint == nil)
    }

    @Test(
        "a variable that makes no sense is named",
        arguments: [
            ("LOG_LEVEL", "loud"), ("OTEL_EXPORTER_OTLP_ENDPOINT", "h:4318"), ("OTEL_RESOURCE_ATTRIBUTES", "=x"),
            ("OTEL_EXPORTER_OTLP_HEADERS", "novalue"), ("OTEL_EXPORTER_OTLP_HEADERS", "a=%zz"),
        ])
    func bad(variable: String, value: String) {
        let error = #expect(throws: ApusError.self) {
            try ApusConfiguration.fromEnvironment(service: "a", [variable: value])
        }
        #expect(error?.description.contains(variable) == true)
    }
}
