package observe

import (
	"context"
	"fmt"
	"os"
	"sync"
	"time"

	"go.opentelemetry.io/otel/trace"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
)

// newLogger builds the JSON logger: level, ts (RFC 3339 with nanoseconds), service, msg and fields, one object a line.
func newLogger(service string) (*zap.Logger, error) {
	level := zapcore.InfoLevel
	if text := os.Getenv("LOG_LEVEL"); text != "" {
		if err := level.UnmarshalText([]byte(text)); err != nil {
			return nil, fmt.Errorf("LOG_LEVEL: %q is none of debug, info, warn, error", text)
		}
	}
	target := zapcore.Lock(os.Stdout)
	if path := os.Getenv("LOG_FILE"); path != "" {
		file, err := os.OpenFile(path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
		if err != nil {
			return nil, fmt.Errorf("LOG_FILE: %w", err)
		}
		target = zapcore.Lock(file)
	}
	encoder := zap.NewProductionEncoderConfig()
	encoder.TimeKey = "ts"
	encoder.EncodeTime = zapcore.RFC3339NanoTimeEncoder
	encoder.EncodeDuration = zapcore.MillisDurationEncoder
	core := zapcore.NewCore(zapcore.NewJSONEncoder(encoder), target, level)
	return zap.New(core, zap.AddStacktrace(zapcore.DPanicLevel)).With(zap.String("service", service)), nil
}

// Logger returns the service's logger with the request, trace and span id of ctx.
func Logger(ctx context.Context) *zap.Logger {
	return WithIDs(ctx, active().logger)
}

// WithIDs adds the request, trace and span id of ctx to a logger of the program's own.
func WithIDs(ctx context.Context, logger *zap.Logger) *zap.Logger {
	fields := make([]zap.Field, 0, 3)
	if id := RequestID(ctx); id != "" {
		fields = append(fields, zap.String("request_id", id))
	}
	if span := trace.SpanContextFromContext(ctx); span.IsValid() {
		fields = append(fields, zap.String("trace_id", span.TraceID().String()), zap.String("span_id", span.SpanID().String()))
	}
	if len(fields) == 0 {
		return logger
	}
	return logger.With(fields...)
}

// errorLog takes what goes wrong inside OpenTelemetry: the first error is said at once, later ones at most once a minute.
type errorLog struct {
	logger *zap.Logger

	mutex    sync.Mutex
	lastSaid time.Time
	unsaid   int
}

func newErrorLog(logger *zap.Logger) *errorLog { return &errorLog{logger: logger} }

// Handle implements otel.ErrorHandler.
func (l *errorLog) Handle(err error) {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	now := time.Now()
	if !l.lastSaid.IsZero() && now.Sub(l.lastSaid) < time.Minute {
		l.unsaid++
		return
	}
	l.logger.Warn("telemetry is being lost", zap.Error(err), zap.Int("errors_since", l.unsaid))
	l.lastSaid, l.unsaid = now, 0
}
