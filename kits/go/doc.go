// Package observe makes a Go backend observable with one call and three wrappers.
//
//	service, err := observe.Start("orders")
//	defer service.Shutdown(context.Background())
//
//	db, err := observe.DB("postgres", dsn)        // spans and db_query_duration_seconds for every statement
//	mux.Handle("/", ...)
//	service.Mount(mux)                            // /metrics and /debug/pprof/
//	http.ListenAndServe(addr, observe.Handler(mux)) // span, metrics, request id and access log for every request
//
//	observe.Logger(ctx).Info("order placed")      // zap, with request_id, trace_id and span_id of the context
//
// Outgoing requests carry the trace on with http.Client{Transport: observe.Transport(nil)}.
//
// The usual environment variables are heeded: OTEL_SERVICE_NAME, OTEL_RESOURCE_ATTRIBUTES, OTEL_EXPORTER_OTLP_ENDPOINT
// (http://localhost:4318 when unset), OTEL_EXPORTER_OTLP_HEADERS, OTEL_EXPORTER_OTLP_TRACES_ENDPOINT and
// OTEL_SDK_DISABLED; and LOG_LEVEL (info) and LOG_FILE (standard output).
//
// Spans leave by the official OTLP exporter. With the build tag otlpjson they leave by a small one of this package, which
// needs nothing but the OpenTelemetry SDK: that builds where the official exporter is not packaged, as on Debian 12.
package observe
