package observe

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
)

// recorder keeps the spans that a service exports.
type recorder struct {
	mutex sync.Mutex
	spans []sdktrace.ReadOnlySpan
}

func (r *recorder) ExportSpans(_ context.Context, spans []sdktrace.ReadOnlySpan) error {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	r.spans = append(r.spans, spans...)
	return nil
}

func (r *recorder) Shutdown(context.Context) error { return nil }

// named returns the one span of that name, after everything was exported.
func (r *recorder) named(t *testing.T, name string) sdktrace.ReadOnlySpan {
	t.Helper()
	r.mutex.Lock()
	defer r.mutex.Unlock()
	var found sdktrace.ReadOnlySpan
	names := []string{}
	for _, span := range r.spans {
		names = append(names, span.Name())
		if span.Name() == name {
			found = span
		}
	}
	if found == nil {
		t.Fatalf("no span %q among %q", name, names)
	}
	return found
}

func attributeOf(span sdktrace.ReadOnlySpan, key string) string {
	for _, pair := range span.Attributes() {
		if string(pair.Key) == key {
			return pair.Value.Emit()
		}
	}
	return ""
}

// start begins a service whose spans and log lines a test can see.
func start(t *testing.T) (*Service, *recorder, *bytes.Buffer) {
	t.Helper()
	lines := &bytes.Buffer{}
	encoder := zap.NewProductionEncoderConfig()
	logger := zap.New(zapcore.NewCore(zapcore.NewJSONEncoder(encoder), zapcore.Lock(zapcore.AddSync(lines)), zap.DebugLevel))
	spans := &recorder{}
	service, err := Start("tested", WithLogger(logger), WithExporter(spans), WithVersion("1"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = service.Shutdown(context.Background()) })
	return service, spans, lines
}

func scrape(t *testing.T, service *Service) string {
	t.Helper()
	request := httptest.NewRequest(http.MethodGet, "/metrics", nil)
	request.Header.Set("Accept", "application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,text/plain;q=0.5") // Prometheus' own
	answer := httptest.NewRecorder()
	service.Metrics().ServeHTTP(answer, request)
	return answer.Body.String()
}

func mustContain(t *testing.T, text string, pieces ...string) {
	t.Helper()
	for _, piece := range pieces {
		if !strings.Contains(text, piece) {
			t.Errorf("%s is missing in:\n%s", piece, alike(text, piece))
		}
	}
}

// alike cuts a long exposition down to the lines of the metric that piece is about.
func alike(text, piece string) string {
	name, _, _ := strings.Cut(piece, "{")
	var lines []string
	for _, line := range strings.Split(text, "\n") {
		if strings.Contains(line, name) {
			lines = append(lines, line)
		}
	}
	if len(lines) == 0 {
		return text
	}
	return strings.Join(lines, "\n")
}

const parentHeader = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"

func TestHandler(t *testing.T) {
	service, spans, lines := start(t)
	mux := http.NewServeMux()
	mux.HandleFunc("/items/", func(w http.ResponseWriter, r *http.Request) {
		SetRoute(r.Context(), "/items/{id}")
		Logger(r.Context()).Info("inside")
		w.WriteHeader(http.StatusCreated)
		_, _ = io.WriteString(w, "four")
	})
	request := httptest.NewRequest(http.MethodPost, "/items/7", nil)
	request.Header.Set("traceparent", parentHeader)
	request.Header.Set("X-Request-Id", "r-1")
	answer := httptest.NewRecorder()
	Handler(mux).ServeHTTP(answer, request)
	_ = service.Shutdown(context.Background())

	if answer.Code != http.StatusCreated || answer.Header().Get("X-Request-Id") != "r-1" {
		t.Errorf("answered %d with request id %q", answer.Code, answer.Header().Get("X-Request-Id"))
	}
	span := spans.named(t, "POST /items/{id}")
	if span.SpanContext().TraceID().String() != "4bf92f3577b34da6a3ce929d0e0e4736" || span.Parent().SpanID().String() != "00f067aa0ba902b7" {
		t.Error("the span does not stand in the caller's trace")
	}
	if span.SpanKind() != trace.SpanKindServer || attributeOf(span, "http.response.status_code") != "201" || attributeOf(span, "http.route") != "/items/{id}" {
		t.Errorf("kind %s, attributes %v", span.SpanKind(), span.Attributes())
	}
	mustContain(t, scrape(t, service),
		`http_requests_total{method="POST",route="/items/{id}",status="201"} 1.0`,
		`http_request_duration_seconds_count{method="POST",route="/items/{id}",status="201"} 1`,
		`# {trace_id="4bf92f3577b34da6a3ce929d0e0e4736"}`,
		`http_requests_in_flight 0.0`, "go_goroutines", "process_resident_memory_bytes", "observe_spans_exported_total 1.0")
	for _, line := range strings.Split(strings.TrimSpace(lines.String()), "\n") {
		var fields map[string]any
		if err := json.Unmarshal([]byte(line), &fields); err != nil {
			t.Fatalf("%v: %s", err, line)
		}
		if fields["request_id"] != "r-1" || fields["trace_id"] != "4bf92f3577b34da6a3ce929d0e0e4736" || fields["span_id"] != span.SpanContext().SpanID().String() {
			t.Errorf("ids are missing: %s", line)
		}
	}
	mustContain(t, lines.String(), `"msg":"inside"`, `"msg":"request"`, `"status":201`, `"bytes":4`)
}

func TestHandlerOfAFailure(t *testing.T) {
	service, spans, lines := start(t)
	mux := http.NewServeMux()
	mux.HandleFunc("/broken", func(http.ResponseWriter, *http.Request) { panic("no") })
	func() {
		defer func() {
			if recover() == nil {
				t.Error("the panic was hidden from net/http")
			}
		}()
		Handler(mux).ServeHTTP(httptest.NewRecorder(), httptest.NewRequest(http.MethodGet, "/broken", nil))
	}()
	_ = service.Shutdown(context.Background())
	if span := spans.named(t, "GET /broken"); span.Status().Code.String() != "Error" || len(span.Events()) != 1 {
		t.Errorf("status %v, events %v", span.Status(), span.Events())
	}
	mustContain(t, scrape(t, service), `http_requests_total{method="GET",route="/broken",status="500"} 1.0`)
	mustContain(t, lines.String(), `"level":"error"`, "request panicked", "observe_test.go")
}

func TestHandlerBoundsItsLabels(t *testing.T) {
	service, _, _ := start(t)
	handler := Handler(http.NotFoundHandler())
	for _, path := range []string{"/a.php", "/b.php", "/c.php"} {
		handler.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest("BREW", path, nil))
	}
	mustContain(t, scrape(t, service), `http_requests_total{method="_OTHER",route="unmatched",status="404"} 3.0`)
}

func TestHandlerIsQuietAboutItsWatchers(t *testing.T) {
	service, spans, lines := start(t)
	mux := http.NewServeMux()
	service.Mount(mux)
	for _, path := range []string{"/metrics", "/healthz", "/debug/pprof/heap"} {
		Handler(mux).ServeHTTP(httptest.NewRecorder(), httptest.NewRequest(http.MethodGet, path, nil))
	}
	_ = service.Shutdown(context.Background())
	if len(spans.spans) != 0 || lines.Len() != 0 {
		t.Errorf("%d spans, log: %s", len(spans.spans), lines)
	}
	mustContain(t, scrape(t, service), `route="/metrics",status="200"} 1`)
}

func TestRequestID(t *testing.T) {
	for received, kept := range map[string]bool{
		"r-1": true, strings.Repeat("x", 128): true,
		"": false, "a b": false, "a\nb": false, "é": false, strings.Repeat("x", 129): false,
	} {
		id := requestID(received)
		if (id == received) != kept || !kept && len(id) != 16 {
			t.Errorf("%q became %q", received, id)
		}
	}
}

func TestTransport(t *testing.T) {
	service, spans, _ := start(t)
	var headers http.Header
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		headers = r.Header.Clone()
		w.WriteHeader(http.StatusServiceUnavailable)
	}))
	defer server.Close()
	client := &http.Client{Transport: Transport(nil)}
	mux := http.NewServeMux()
	mux.HandleFunc("/outer", func(w http.ResponseWriter, r *http.Request) {
		request, _ := http.NewRequestWithContext(r.Context(), http.MethodGet, strings.Replace(server.URL, "http://", "http://user:secret@", 1)+"/x", nil)
		response, err := client.Do(request)
		if err != nil {
			t.Error(err)
			return
		}
		response.Body.Close()
		if request.Header.Get("traceparent") != "" {
			t.Error("the caller's own request was changed")
		}
	})
	outer := httptest.NewRequest(http.MethodGet, "/outer", nil)
	outer.Header.Set("X-Request-Id", "r-2")
	Handler(mux).ServeHTTP(httptest.NewRecorder(), outer)
	_ = service.Shutdown(context.Background())

	host := strings.TrimPrefix(server.URL, "http://")
	inner, parent := spans.named(t, "GET "+host), spans.named(t, "GET /outer")
	if inner.Parent().SpanID() != parent.SpanContext().SpanID() || inner.SpanKind() != trace.SpanKindClient || inner.Status().Code.String() != "Error" {
		t.Errorf("parent %v, kind %v, status %v", inner.Parent(), inner.SpanKind(), inner.Status())
	}
	if strings.Contains(attributeOf(inner, "url.full"), "secret") {
		t.Error("the span holds a password")
	}
	if headers.Get("X-Request-Id") != "r-2" || !strings.Contains(headers.Get("traceparent"), inner.SpanContext().SpanID().String()) {
		t.Errorf("sent %v", headers)
	}
	mustContain(t, scrape(t, service), `http_client_request_duration_seconds_count{host="`+host+`",method="GET",status="503"} 1`)
}

func TestLogFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "log")
	t.Setenv("LOG_FILE", path)
	t.Setenv("LOG_LEVEL", "warn")
	t.Setenv("OTEL_SERVICE_NAME", "renamed")
	t.Setenv("OTEL_SDK_DISABLED", "true")
	service, err := Start("given")
	if err != nil {
		t.Fatal(err)
	}
	Logger(context.Background()).Info("unseen")
	Logger(context.Background()).Warn("seen", zap.Int("n", 5))
	_ = service.Shutdown(context.Background())
	written, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var fields map[string]any
	if err := json.Unmarshal(written, &fields); err != nil {
		t.Fatalf("%v: %s", err, written)
	}
	if fields["level"] != "warn" || fields["msg"] != "seen" || fields["service"] != "renamed" || fields["n"] != 5.0 || !strings.HasSuffix(fields["ts"].(string), "Z") && !strings.Contains(fields["ts"].(string), "+") {
		t.Errorf("%s", written)
	}
	if service.Name() != "renamed" {
		t.Error(service.Name())
	}
}

func TestStartSaysWhatIsWrong(t *testing.T) {
	for variable, value := range map[string]string{"LOG_LEVEL": "loud", "LOG_FILE": "/nowhere/at/all"} {
		t.Run(variable, func(t *testing.T) {
			t.Setenv(variable, value)
			if _, err := Start("x", WithExporter(&recorder{})); err == nil || !strings.Contains(err.Error(), variable) {
				t.Errorf("got %v", err)
			}
		})
	}
	if _, err := Start(""); err == nil {
		t.Error("a service without a name was started")
	}
}

func TestErrorLogSaysItOnce(t *testing.T) {
	lines := &bytes.Buffer{}
	log := newErrorLog(zap.New(zapcore.NewCore(zapcore.NewJSONEncoder(zap.NewProductionEncoderConfig()), zapcore.AddSync(lines), zap.DebugLevel)))
	for i := 0; i < 5; i++ {
		log.Handle(io.ErrUnexpectedEOF)
	}
	if count := strings.Count(lines.String(), "\n"); count != 1 {
		t.Errorf("%d lines: %s", count, lines)
	}
}
