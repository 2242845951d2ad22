//go:build !otlpjson

package observe

import (
	"context"

	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
)

// newExporter sends OTLP as protobuf over HTTP, by OpenTelemetry's own exporter. Where OTEL_EXPORTER_OTLP_ENDPOINT is not
// set that one would want TLS at localhost; a collector on the same machine is spoken to in the clear.
func newExporter(ctx context.Context) (sdktrace.SpanExporter, error) {
	return otlptracehttp.New(ctx, otlptracehttp.WithEndpointURL(tracesEndpoint()))
}
