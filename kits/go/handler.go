package observe

import (
	"context"
	"fmt"
	"net/http"
	"runtime/debug"
	"strconv"
	"strings"
	"time"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"
	"go.uber.org/zap"
)

// Handler observes every request that next answers: a server span in the caller's trace, http_request_duration_seconds and
// http_requests_total by method, route and status, a request id, and a line in the log.
//
// The route is the pattern of the http.ServeMux that next is; a handler that knows better says so with SetRoute. Scrapes
// (/metrics), health checks (/healthz) and profiles (/debug/pprof/) are measured but neither traced nor logged.
func Handler(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		active().serve(next, w, r)
	})
}

func (s *Service) serve(next http.Handler, w http.ResponseWriter, r *http.Request) {
	started := time.Now()
	method := knownMethod(r.Method)
	request := &requestInfo{id: requestID(r.Header.Get(requestIDHeader)), route: routeOf(next, r)}
	ctx := context.WithValue(r.Context(), requestKey{}, request)
	span := trace.SpanFromContext(context.Background()) // records nothing
	quiet := isQuiet(r.URL.Path)
	if !quiet {
		ctx = otel.GetTextMapPropagator().Extract(ctx, propagation.HeaderCarrier(r.Header))
		ctx, span = s.tracer.Start(ctx, method, trace.WithSpanKind(trace.SpanKindServer), trace.WithAttributes(
			attribute.String("http.request.method", method),
			attribute.String("url.path", r.URL.Path),
			attribute.String("url.scheme", scheme(r)),
			attribute.String("server.address", r.Host),
			attribute.String("client.address", r.RemoteAddr),
			attribute.String("user_agent.original", r.UserAgent()),
			attribute.String("request.id", request.id),
		))
	}
	w.Header().Set(requestIDHeader, request.id)
	answer := &answer{ResponseWriter: w}
	s.metrics.requestsInFlight.Inc()

	defer func() {
		panicked := recover()
		elapsed := time.Since(started)
		s.metrics.requestsInFlight.Dec()
		status := answer.status
		if status == 0 {
			status = http.StatusOK
		}
		if panicked != nil && panicked != http.ErrAbortHandler {
			status = http.StatusInternalServerError
			span.RecordError(fmt.Errorf("panic: %v", panicked))
		}
		route := request.currentRoute()
		labels := []string{method, route, strconv.Itoa(status)}
		s.metrics.requests.WithLabelValues(labels...).Inc()
		observe(ctx, s.metrics.requestDuration.WithLabelValues(labels...), elapsed.Seconds())
		if !quiet {
			span.SetName(method + " " + route)
			span.SetAttributes(
				attribute.String("http.route", route), attribute.Int("http.response.status_code", status),
				attribute.Int64("http.response.body.size", answer.byteCount),
			)
			if status >= 500 {
				span.SetStatus(codes.Error, http.StatusText(status))
			}
			span.End()
			s.logRequest(ctx, r, route, status, elapsed, answer.byteCount, panicked)
		}
		if panicked != nil {
			panic(panicked) // net/http closes the connection; to hide it here would hide it from the program
		}
	}()
	next.ServeHTTP(answer, r.WithContext(ctx))
}

func (s *Service) logRequest(ctx context.Context, r *http.Request, route string, status int, elapsed time.Duration, byteCount int64, panicked any) {
	fields := []zap.Field{
		zap.String("method", r.Method), zap.String("route", route), zap.String("path", r.URL.Path), zap.Int("status", status),
		zap.Float64("duration_ms", float64(elapsed.Microseconds())/1000), zap.Int64("bytes", byteCount),
	}
	logger := WithIDs(ctx, s.logger)
	switch {
	case panicked != nil && panicked != http.ErrAbortHandler:
		logger.Error("request panicked", append(fields, zap.Any("panic", panicked), zap.ByteString("stack", debug.Stack()))...)
	case status >= 500:
		logger.Error("request failed", fields...)
	default:
		logger.Info("request", fields...)
	}
}

// routeOf asks a ServeMux which of its patterns answers r. A pattern may begin with a method and a host.
func routeOf(handler http.Handler, r *http.Request) string {
	mux, ok := handler.(interface {
		Handler(*http.Request) (http.Handler, string)
	})
	if !ok {
		return unknownRoute
	}
	_, pattern := mux.Handler(r)
	if slash := strings.IndexByte(pattern, '/'); slash >= 0 {
		return pattern[slash:]
	}
	return unknownRoute
}

// isQuiet says whether path belongs to the machinery that watches the service rather than to its users.
func isQuiet(path string) bool {
	return path == "/metrics" || path == "/healthz" || strings.HasPrefix(path, "/debug/pprof")
}

// knownMethod keeps what a stranger sends as method from becoming a label value.
func knownMethod(method string) string {
	switch method {
	case http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete,
		http.MethodConnect, http.MethodOptions, http.MethodTrace:
		return method
	}
	return "_OTHER"
}

func scheme(r *http.Request) string {
	if r.TLS != nil {
		return "https"
	}
	return "http"
}
