package observe

import (
	"os"
	"strings"
)

// tracesEndpoint is where spans go, as OpenTelemetry's specification of the OTLP exporter says: the traces' own variable
// as it stands, else the common one with /v1/traces after it.
func tracesEndpoint() string {
	if endpoint := os.Getenv("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"); endpoint != "" {
		return endpoint
	}
	endpoint := os.Getenv("OTEL_EXPORTER_OTLP_ENDPOINT")
	if endpoint == "" {
		endpoint = "http://localhost:4318"
	}
	return strings.TrimSuffix(endpoint, "/") + "/v1/traces"
}
