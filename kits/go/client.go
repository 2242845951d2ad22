package observe

import (
	"net/http"
	"strconv"
	"time"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"
)

// Transport observes every request sent through base (nil: http.DefaultTransport): a client span, the traceparent and
// X-Request-Id headers that carry trace and request on, and http_client_request_duration_seconds.
func Transport(base http.RoundTripper) http.RoundTripper {
	if base == nil {
		base = http.DefaultTransport
	}
	return transport{base}
}

type transport struct{ base http.RoundTripper }

func (t transport) RoundTrip(r *http.Request) (*http.Response, error) {
	service := active()
	started := time.Now()
	method := knownMethod(r.Method)
	ctx, span := service.tracer.Start(r.Context(), method+" "+r.URL.Host, trace.WithSpanKind(trace.SpanKindClient), trace.WithAttributes(
		attribute.String("http.request.method", method),
		attribute.String("server.address", r.URL.Hostname()),
		attribute.String("url.full", r.URL.Redacted()),
	))
	defer span.End()

	// A RoundTripper must not change the request it was given.
	r = r.Clone(ctx)
	otel.GetTextMapPropagator().Inject(ctx, propagation.HeaderCarrier(r.Header))
	if id := RequestID(ctx); id != "" && r.Header.Get(requestIDHeader) == "" {
		r.Header.Set(requestIDHeader, id)
	}
	response, err := t.base.RoundTrip(r)

	status := "error"
	if err != nil {
		span.RecordError(err)
		span.SetStatus(codes.Error, err.Error())
	} else {
		status = strconv.Itoa(response.StatusCode)
		span.SetAttributes(attribute.Int("http.response.status_code", response.StatusCode))
		if response.StatusCode >= 400 {
			span.SetStatus(codes.Error, http.StatusText(response.StatusCode))
		}
	}
	observe(ctx, service.metrics.clientDuration.WithLabelValues(method, r.URL.Host, status), time.Since(started).Seconds())
	return response, err
}
