package observe

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"sync/atomic"
	"time"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/sdk/resource"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"
	"go.uber.org/zap"
)

// tracerName is the instrumentation scope of this package's spans.
const tracerName = "apus/observe"

// Service is a backend under observation: its tracer provider, its metric registry and its logger.
type Service struct {
	name     string
	logger   *zap.Logger
	metrics  *metrics
	provider *sdktrace.TracerProvider // nil where tracing is off
	tracer   trace.Tracer
}

// current is the service that the package's functions work for: the one started last.
var current atomic.Pointer[Service]

// active returns the current service, or before Start one that keeps nothing.
func active() *Service {
	if service := current.Load(); service != nil {
		return service
	}
	idle := &Service{logger: zap.NewNop(), metrics: newMetrics(), tracer: otel.Tracer(tracerName)}
	current.CompareAndSwap(nil, idle)
	return current.Load()
}

// Option changes what Start sets up.
type Option func(*settings)

type settings struct {
	version  string
	logger   *zap.Logger
	exporter sdktrace.SpanExporter
}

// WithVersion says which version of the service this is: service.version of its telemetry.
func WithVersion(version string) Option {
	return func(s *settings) { s.version = version }
}

// WithLogger uses a logger of the program's own instead of the one that Start would build.
func WithLogger(logger *zap.Logger) Option {
	return func(s *settings) { s.logger = logger }
}

// WithExporter sends spans to exporter instead of to OTEL_EXPORTER_OTLP_ENDPOINT.
func WithExporter(exporter sdktrace.SpanExporter) Option {
	return func(s *settings) { s.exporter = exporter }
}

// Start sets up tracing, metrics and logging for the service called name; OTEL_SERVICE_NAME overrides it.
//
// It fails only on what the program itself got wrong, such as a log file that cannot be opened. A collector that does
// not answer is not an error: the service must run without it.
func Start(name string, options ...Option) (*Service, error) {
	var chosen settings
	for _, option := range options {
		option(&chosen)
	}
	if fromEnvironment := strings.TrimSpace(os.Getenv("OTEL_SERVICE_NAME")); fromEnvironment != "" {
		name = fromEnvironment
	}
	if name == "" {
		return nil, errors.New("observe.Start: a service needs a name")
	}

	logger := chosen.logger
	if logger == nil {
		built, err := newLogger(name)
		if err != nil {
			return nil, err
		}
		logger = built
	}
	service := &Service{name: name, logger: logger, metrics: newMetrics()}
	otel.SetErrorHandler(newErrorLog(logger))
	otel.SetTextMapPropagator(propagation.NewCompositeTextMapPropagator(propagation.TraceContext{}, propagation.Baggage{}))

	if !strings.EqualFold(os.Getenv("OTEL_SDK_DISABLED"), "true") {
		exporter := chosen.exporter
		if exporter == nil {
			built, err := newExporter(context.Background())
			if err != nil {
				return nil, fmt.Errorf("observe.Start: span exporter: %w", err)
			}
			exporter = built
		}
		service.provider = sdktrace.NewTracerProvider(
			sdktrace.WithResource(newResource(name, chosen.version)),
			// Half a second instead of the SDK's five: a trace should be there when its log line is.
			sdktrace.WithBatcher(countingExporter{exporter, service.metrics}, sdktrace.WithBatchTimeout(500*time.Millisecond)),
		)
		otel.SetTracerProvider(service.provider)
	}
	service.tracer = otel.Tracer(tracerName)
	current.Store(service)
	return service, nil
}

// Shutdown sends what is still queued and closes the log; ctx bounds how long that may take.
func (s *Service) Shutdown(ctx context.Context) error {
	var err error
	if s.provider != nil {
		err = s.provider.Shutdown(ctx)
	}
	// Standard output that is a terminal or a pipe cannot be synced; that is no failure.
	_ = s.logger.Sync()
	return err
}

// Name returns the service's name.
func (s *Service) Name() string { return s.name }

// newResource describes this process; what OTEL_RESOURCE_ATTRIBUTES says wins.
func newResource(name, version string) *resource.Resource {
	host, _ := os.Hostname()
	attributes := []attribute.KeyValue{
		attribute.String("service.name", name),
		attribute.String("service.instance.id", fmt.Sprintf("%s:%d", host, os.Getpid())),
	}
	if version != "" {
		attributes = append(attributes, attribute.String("service.version", version))
	}
	described, err := resource.New(context.Background(),
		resource.WithTelemetrySDK(), resource.WithHost(), resource.WithProcessPID(), resource.WithProcessRuntimeName(),
		resource.WithProcessRuntimeVersion(), resource.WithAttributes(attributes...), resource.WithFromEnv(),
		resource.WithAttributes(attribute.String("service.name", name)),
	)
	if err != nil {
		otel.Handle(err)
	}
	if described == nil {
		return resource.NewSchemaless(attributes...)
	}
	return described
}

// countingExporter counts the spans that left and those that could not.
type countingExporter struct {
	sdktrace.SpanExporter
	metrics *metrics
}

func (e countingExporter) ExportSpans(ctx context.Context, spans []sdktrace.ReadOnlySpan) error {
	err := e.SpanExporter.ExportSpans(ctx, spans)
	if err != nil {
		e.metrics.spansLost.Add(float64(len(spans)))
	} else {
		e.metrics.spansExported.Add(float64(len(spans)))
	}
	return err
}
