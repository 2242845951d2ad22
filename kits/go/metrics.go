package observe

import (
	"context"
	"database/sql"
	"net/http"
	"net/http/pprof"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"go.opentelemetry.io/otel/trace"
)

// Buckets in seconds. A request takes from half a millisecond to ten seconds; a statement is an order of magnitude faster.
var (
	requestBuckets = []float64{.0005, .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10}
	queryBuckets   = []float64{.0001, .00025, .0005, .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5}
)

// metrics is what this package measures, in a registry of its own.
type metrics struct {
	registry *prometheus.Registry

	requests         *prometheus.CounterVec
	requestDuration  *prometheus.HistogramVec
	requestsInFlight prometheus.Gauge

	clientDuration *prometheus.HistogramVec

	queryDuration *prometheus.HistogramVec
	queryErrors   *prometheus.CounterVec

	spansExported prometheus.Counter
	spansLost     prometheus.Counter
}

func newMetrics() *metrics {
	m := &metrics{
		registry: prometheus.NewRegistry(),
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "http_requests_total", Help: "Requests answered, by method, route and status code.",
		}, []string{"method", "route", "status"}),
		requestDuration: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "http_request_duration_seconds", Help: "Time from a request's header to the end of its answer.", Buckets: requestBuckets,
		}, []string{"method", "route", "status"}),
		requestsInFlight: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "http_requests_in_flight", Help: "Requests being answered now.",
		}),
		clientDuration: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "http_client_request_duration_seconds", Help: "Time from sending a request to the header of its answer; status is 'error' where none came.",
			Buckets: requestBuckets,
		}, []string{"method", "host", "status"}),
		queryDuration: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "db_query_duration_seconds", Help: "Time a statement took in the database driver, by operation and table.", Buckets: queryBuckets,
		}, []string{"operation", "table"}),
		queryErrors: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "db_query_errors_total", Help: "Statements that failed, by operation and table.",
		}, []string{"operation", "table"}),
		spansExported: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "observe_spans_exported_total", Help: "Spans that the collector accepted.",
		}),
		spansLost: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "observe_spans_lost_total", Help: "Spans given up because the collector did not accept them.",
		}),
	}
	m.registry.MustRegister(
		m.requests, m.requestDuration, m.requestsInFlight, m.clientDuration, m.queryDuration, m.queryErrors, m.spansExported, m.spansLost,
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
	)
	return m
}

// Registry is where the program registers metrics of its own, to be shown at /metrics beside this package's.
func (s *Service) Registry() *prometheus.Registry { return s.metrics.registry }

// Metrics answers a scrape, in OpenMetrics with exemplars for those who ask for it.
func (s *Service) Metrics() http.Handler {
	return promhttp.HandlerFor(s.metrics.registry, promhttp.HandlerOpts{EnableOpenMetrics: true, Registry: s.metrics.registry})
}

// Mount adds /metrics and /debug/pprof/ to mux. Give them a mux and a port of their own where the service is public.
func (s *Service) Mount(mux *http.ServeMux) {
	mux.Handle("/metrics", s.Metrics())
	mux.HandleFunc("/debug/pprof/", pprof.Index)
	mux.HandleFunc("/debug/pprof/cmdline", pprof.Cmdline)
	mux.HandleFunc("/debug/pprof/profile", pprof.Profile)
	mux.HandleFunc("/debug/pprof/symbol", pprof.Symbol)
	mux.HandleFunc("/debug/pprof/trace", pprof.Trace)
}

// registerPool shows the connection pool of db as go_sql_*; a second pool of one name is not shown.
func (m *metrics) registerPool(db *sql.DB, name string) {
	_ = m.registry.Register(collectors.NewDBStatsCollector(db, name))
}

// observe records seconds, with the context's trace as exemplar where that trace is kept.
func observe(ctx context.Context, histogram prometheus.Observer, seconds float64) {
	span := trace.SpanContextFromContext(ctx)
	if exemplars, ok := histogram.(prometheus.ExemplarObserver); ok && span.IsSampled() {
		exemplars.ObserveWithExemplar(seconds, prometheus.Labels{"trace_id": span.TraceID().String()})
		return
	}
	histogram.Observe(seconds)
}
