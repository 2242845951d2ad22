//go:build otlpjson

package observe

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strconv"
	"strings"
	"time"

	sdktrace "go.opentelemetry.io/otel/sdk/trace"
)

// jsonExporter sends spans as OTLP/JSON over HTTP.
// https://opentelemetry.io/docs/specs/otlp/#otlphttp
type jsonExporter struct {
	endpoint string
	headers  http.Header
	client   *http.Client
}

// Retries of one batch: 0.5, 1, 2, … seconds apart, until the context that the batch processor gave ends.
const (
	retryDelayFirst = 500 * time.Millisecond
	retryDelayMax   = 8 * time.Second
)

func newExporter(context.Context) (sdktrace.SpanExporter, error) {
	endpoint := tracesEndpoint()
	parsed, err := url.Parse(endpoint)
	if err != nil || parsed.Host == "" || (parsed.Scheme != "http" && parsed.Scheme != "https") {
		return nil, fmt.Errorf("OTEL_EXPORTER_OTLP_ENDPOINT: %q is no http:// or https:// address", endpoint)
	}
	headers := http.Header{"Content-Type": {"application/json"}, "Content-Encoding": {"gzip"}, "User-Agent": {tracerName}}
	for _, variable := range []string{"OTEL_EXPORTER_OTLP_HEADERS", "OTEL_EXPORTER_OTLP_TRACES_HEADERS"} {
		if err := addHeaders(headers, os.Getenv(variable)); err != nil {
			return nil, fmt.Errorf("%s: %w", variable, err)
		}
	}
	// A transport of its own: the default one may be wrapped by Transport, which would trace the sending of traces.
	return &jsonExporter{endpoint, headers, &http.Client{Timeout: 10 * time.Second, Transport: http.DefaultTransport.(*http.Transport).Clone()}}, nil
}

// addHeaders reads "key=value,key=value" with percent-encoded values, as W3C baggage is written.
func addHeaders(headers http.Header, list string) error {
	for _, pair := range strings.Split(list, ",") {
		if pair = strings.TrimSpace(pair); pair == "" {
			continue
		}
		key, value, found := strings.Cut(pair, "=")
		decoded, err := url.PathUnescape(strings.TrimSpace(value))
		if !found || err != nil || strings.TrimSpace(key) == "" {
			return fmt.Errorf("%q is not key=value", key)
		}
		headers.Set(strings.TrimSpace(key), decoded)
	}
	return nil
}

// ExportSpans sends one batch and, while the collector says that it is only busy, sends it again.
func (e *jsonExporter) ExportSpans(ctx context.Context, spans []sdktrace.ReadOnlySpan) error {
	if len(spans) == 0 {
		return nil
	}
	var body bytes.Buffer
	compressor := gzip.NewWriter(&body)
	if err := json.NewEncoder(compressor).Encode(encodeSpans(spans)); err != nil {
		return fmt.Errorf("encode spans: %w", err)
	}
	if err := compressor.Close(); err != nil {
		return fmt.Errorf("encode spans: %w", err)
	}
	for delay := retryDelayFirst; ; delay = min(2*delay, retryDelayMax) {
		wait, err := e.send(ctx, body.Bytes())
		if err == nil || wait < 0 {
			return err
		}
		if wait > 0 {
			delay = wait
		}
		timer := time.NewTimer(delay)
		select {
		case <-ctx.Done():
			timer.Stop()
			return err
		case <-timer.C:
		}
	}
}

// send posts body once. After an error, wait says how long the collector wants to be left alone: 0 if it did not say,
// negative if trying again is pointless.
func (e *jsonExporter) send(ctx context.Context, body []byte) (wait time.Duration, err error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, e.endpoint, bytes.NewReader(body))
	if err != nil {
		return -1, err
	}
	request.Header = e.headers.Clone()
	response, err := e.client.Do(request)
	if err != nil {
		return 0, err
	}
	defer response.Body.Close()
	answer, _ := io.ReadAll(io.LimitReader(response.Body, 4096))
	switch response.StatusCode {
	case http.StatusOK:
		return -1, rejection(answer)
	case http.StatusTooManyRequests, http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		seconds, _ := strconv.Atoi(response.Header.Get("Retry-After"))
		wait = time.Duration(min(seconds, 60)) * time.Second
	default:
		wait = -1
	}
	return wait, fmt.Errorf("%s answered %s: %s", e.endpoint, response.Status, strings.TrimSpace(string(answer)))
}

// rejection is the error in an answer of partial success, if that rejected any span.
func rejection(answer []byte) error {
	var partial struct {
		PartialSuccess struct {
			RejectedSpans json.Number `json:"rejectedSpans"`
			ErrorMessage  string      `json:"errorMessage"`
		} `json:"partialSuccess"`
	}
	if json.Unmarshal(answer, &partial) != nil {
		return nil
	}
	if count, err := partial.PartialSuccess.RejectedSpans.Int64(); err == nil && count > 0 {
		return fmt.Errorf("the collector rejected %d spans: %s", count, partial.PartialSuccess.ErrorMessage)
	}
	return nil
}

// Shutdown has nothing to send: the batch processor flushes before it calls this.
func (e *jsonExporter) Shutdown(context.Context) error {
	e.client.CloseIdleConnections()
	return nil
}

type ordered interface{ ~int | ~int64 }

func min[T ordered](a, b T) T {
	if a < b {
		return a
	}
	return b
}
