//go:build otlpjson

package observe

import (
	"compress/gzip"
	"context"
	"encoding/json"
	"math"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"
)

// collector answers with statuses in turn, then 200, and keeps what it accepted.
type collector struct {
	statuses []int
	requests atomic.Int32
	header   http.Header
	accepted []map[string]any
}

func (c *collector) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	index := int(c.requests.Add(1)) - 1
	if index < len(c.statuses) && c.statuses[index] != http.StatusOK {
		w.WriteHeader(c.statuses[index])
		return
	}
	c.header = r.Header.Clone()
	reader, err := gzip.NewReader(r.Body)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	var body map[string]any
	if err := json.NewDecoder(reader).Decode(&body); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	c.accepted = append(c.accepted, body)
}

// export sends one span of everything to a collector.
func export(t *testing.T, collector *collector) error {
	t.Helper()
	server := httptest.NewServer(collector)
	defer server.Close()
	t.Setenv("OTEL_EXPORTER_OTLP_ENDPOINT", server.URL+"/")
	t.Setenv("OTEL_EXPORTER_OTLP_HEADERS", "Authorization=Bearer%20t, X-Scope=a")
	exporter, err := newExporter(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	spans := &recorder{}
	provider := sdktrace.NewTracerProvider(sdktrace.WithSyncer(spans), sdktrace.WithResource(newResource("tested", "")))
	_, span := provider.Tracer("scope").Start(context.Background(), "all", trace.WithSpanKind(trace.SpanKindProducer), trace.WithAttributes(
		attribute.String("s", "text"), attribute.Bool("b", false), attribute.Int64("i", 1<<60), attribute.Float64("d", 0.5),
		attribute.Float64("nan", math.NaN()), attribute.StringSlice("ss", []string{"x"}), attribute.Int64Slice("is", []int64{1, 2}),
	))
	span.AddEvent("happened")
	span.SetStatus(codes.Error, "bad")
	span.End()
	ctx, cancel := context.WithTimeout(context.Background(), 3*time.Second)
	defer cancel()
	return exporter.ExportSpans(ctx, spans.spans)
}

func TestExporter(t *testing.T) {
	collector := &collector{statuses: []int{http.StatusServiceUnavailable}}
	if err := export(t, collector); err != nil {
		t.Fatal(err)
	}
	if len(collector.accepted) != 1 || collector.header.Get("Authorization") != "Bearer t" || collector.header.Get("X-Scope") != "a" {
		t.Fatalf("accepted %d with %v", len(collector.accepted), collector.header)
	}
	encoded, _ := json.Marshal(collector.accepted[0])
	mustContain(t, string(encoded),
		`"kind":4`, `"status":{"code":2,"message":"bad"}`, `"name":"happened"`, `"scope":{"name":"scope"}`,
		`{"key":"s","value":{"stringValue":"text"}}`, `{"key":"b","value":{"boolValue":false}}`,
		`{"key":"i","value":{"intValue":"1152921504606846976"}}`, `{"key":"d","value":{"doubleValue":0.5}}`,
		`{"key":"nan","value":{"stringValue":"NaN"}}`, `{"arrayValue":{"values":[{"stringValue":"x"}]}}`,
		`{"arrayValue":{"values":[{"intValue":"1"},{"intValue":"2"}]}}`, `{"key":"service.name","value":{"stringValue":"tested"}}`,
	)
	if strings.Contains(string(encoded), "parentSpanId") {
		t.Error("a root has a parent")
	}
}

func TestExporterGivesUpWhereTryingAgainIsPointless(t *testing.T) {
	collector := &collector{statuses: []int{http.StatusBadRequest}}
	if err := export(t, collector); err == nil || collector.requests.Load() != 1 {
		t.Errorf("%v after %d requests", err, collector.requests.Load())
	}
}

func TestExporterEndpoint(t *testing.T) {
	for _, endpoint := range []string{"localhost:4318", "ftp://x", "http:///x"} {
		t.Setenv("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint)
		if _, err := newExporter(context.Background()); err == nil {
			t.Errorf("%q was accepted", endpoint)
		}
	}
	t.Setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "")
	if endpoint := tracesEndpoint(); endpoint != "http://localhost:4318/v1/traces" {
		t.Error(endpoint)
	}
	t.Setenv("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "http://h/own")
	if endpoint := tracesEndpoint(); endpoint != "http://h/own" {
		t.Error(endpoint)
	}
}

func TestRejection(t *testing.T) {
	for answer, rejected := range map[string]bool{
		`{}`: false, `{"partialSuccess":{}}`: false, `not json`: false, ``: false,
		`{"partialSuccess":{"rejectedSpans":"2","errorMessage":"no"}}`: true, `{"partialSuccess":{"rejectedSpans":2}}`: true,
	} {
		if err := rejection([]byte(answer)); (err != nil) != rejected {
			t.Errorf("%s: %v", answer, err)
		}
	}
}
