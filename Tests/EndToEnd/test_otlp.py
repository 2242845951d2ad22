"""OpenTelemetry's own Python SDK sends traces, metrics and logs, over gRPC and over HTTP."""

import gzip
import json
import logging
import time

import pytest
from opentelemetry import trace
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.sdk._logs import LoggerProvider, LoggingHandler
from opentelemetry.sdk._logs.export import BatchLogRecordProcessor

from stack import Apus, eventually, nanoseconds


@pytest.fixture(scope="module")
def apus(tmp_path_factory):
    instance = Apus(tmp_path_factory.mktemp("otlp"))
    instance.start()
    yield instance
    assert instance.stop() == 0


def exporters(apus, transport):
    if transport.startswith("grpc"):
        from grpc import Compression
        from opentelemetry.exporter.otlp.proto.grpc import _log_exporter, metric_exporter, trace_exporter

        options = {"endpoint": f"http://127.0.0.1:{apus.grpc}", "insecure": True,
                   "compression": Compression.Gzip if transport.endswith("gzip") else Compression.NoCompression}
        return (trace_exporter.OTLPSpanExporter(**options), metric_exporter.OTLPMetricExporter(**options), _log_exporter.OTLPLogExporter(**options))
    from opentelemetry.exporter.otlp.proto.http import Compression, _log_exporter, metric_exporter, trace_exporter

    compression = Compression.Gzip if transport.endswith("gzip") else Compression.NoCompression
    base = f"http://127.0.0.1:{apus.otlp}" if "port" in transport else apus.base
    return (trace_exporter.OTLPSpanExporter(endpoint=base + "/v1/traces", compression=compression),
            metric_exporter.OTLPMetricExporter(endpoint=base + "/v1/metrics", compression=compression),
            _log_exporter.OTLPLogExporter(endpoint=base + "/v1/logs", compression=compression))


@pytest.mark.parametrize("transport", ["grpc", "grpc-gzip", "http", "http-gzip", "http-otlp-port"])
def test_the_sdk_over(apus, transport):
    service = f"python-{transport}"
    resource = Resource.create({"service.name": service, "service.instance.id": "one", "deployment.environment": "test"})
    span_exporter, metric_exporter, log_exporter = exporters(apus, transport)

    tracers = TracerProvider(resource=resource)
    tracers.add_span_processor(BatchSpanProcessor(span_exporter))
    loggers = LoggerProvider(resource=resource)
    loggers.add_log_record_processor(BatchLogRecordProcessor(log_exporter))
    meters = MeterProvider(resource=resource, metric_readers=[PeriodicExportingMetricReader(metric_exporter, export_interval_millis=60_000)])

    meter = meters.get_meter("end-to-end")
    meter.create_counter("jobs.done", unit="1").add(7, {"kind": "a"})
    meter.create_histogram("job.duration", unit="s").record(0.25, {"kind": "a"})
    logger = logging.getLogger(service)
    logger.propagate = False
    logger.addHandler(LoggingHandler(level=logging.INFO, logger_provider=loggers))
    with tracers.get_tracer("end-to-end").start_as_current_span("parent", kind=trace.SpanKind.SERVER) as parent:
        parent.set_attribute("http.route", "/jobs/{id}")
        parent.set_attribute("user.id", 4242)
        with tracers.get_tracer("end-to-end").start_as_current_span("child") as child:
            child.set_status(trace.Status(trace.StatusCode.ERROR, "it broke"))
            logger.warning("inside the child")
    trace_id = f"{parent.get_span_context().trace_id:032x}"
    for provider in (tracers, loggers, meters):
        provider.shutdown()

    spans = apus.spans(trace_id)
    assert sorted(span["name"] for _, span in spans) == ["child", "parent"]
    assert all(attributes["service.name"] == service for attributes, _ in spans)

    now = int(time.time())
    window = {"start": now - 600, "end": now + 60}
    for query in (f'{{ resource.service.name = "{service}" && span.user.id = 4242 }}', f'{{ resource.service.name = "{service}" && status = error }}',
                  f'{{ resource.service.name = "{service}" && name = "parent" }}'):
        assert [found["traceID"].rjust(32, "0") for found in apus.traces(q=query, **window)] == [trace_id], query
    assert apus.traces(tags=f"service.name={service} http.route=/jobs/{{id}}", **window)
    assert not apus.traces(q=f'{{ resource.service.name = "{service}" }}', minDuration="10s", **window)

    assert apus.value(f'jobs_done_total{{job="{service}",kind="a"}}') == 7
    assert apus.value(f'job_duration_seconds_count{{job="{service}"}}') == 1
    assert apus.value(f'target_info{{job="{service}",instance="one"}}') == 1

    (labels, _, line), = apus.logs(f'{{service_name="{service}"}}', start=nanoseconds() - 600 * 10**9, end=nanoseconds() + 60 * 10**9)
    assert line == "inside the child"
    assert apus.logs(f'{{service_name="{service}"}} | trace_id="{trace_id}"', start=nanoseconds() - 600 * 10**9)


def span(number, **fields):
    return {"traceId": f"{number:032x}", "spanId": f"{number:016x}", "name": "json", "startTimeUnixNano": str(nanoseconds()),
            "endTimeUnixNano": str(nanoseconds() + 1000), **fields}


def message(*spans):
    return json.dumps({"resourceSpans": [{"resource": {}, "scopeSpans": [{"spans": list(spans)}]}]}).encode()


JSON = {"Content-Type": "application/json"}


def test_bad_messages_store_nothing_and_say_where(apus):
    good = message(span(0xABC))
    broken = apus.post("/v1/traces", good[:-20], JSON)
    assert broken.status == 400 and broken.text
    assert apus.get(f"/api/traces/{0xABC:032x}").status == 404
    binary = apus.post("/v1/traces", b"\x0a\xff\xff\xff\xff\x0f", {"Content-Type": "application/x-protobuf"})
    assert binary.status == 400
    assert apus.post("/v1/traces", good, {**JSON, "Content-Encoding": "br"}).status == 415
    assert apus.post("/v1/traces", b"not gzip", {**JSON, "Content-Encoding": "gzip"}).status == 400
    assert apus.post("/v1/traces", good, {"Content-Type": "text/plain"}).status == 415


def test_a_decompression_bomb_stops_at_the_limit(apus):
    bomb = gzip.compress(b" " * (1 << 30), 9)
    before = apus.process.memory_mib("VmHWM")
    assert apus.post("/v1/traces", bomb, {**JSON, "Content-Encoding": "gzip"}).status == 413
    assert apus.process.memory_mib("VmHWM") - before < 400


def test_the_good_part_of_a_batch_stays(apus):
    answer = apus.post("/v1/traces", message(span(0xDEF), span(0)), JSON)
    assert answer.status == 200
    partial = answer.json()["partialSuccess"]
    assert int(partial["rejectedSpans"]) == 1 and partial["errorMessage"]
    assert apus.get(f"/api/traces/{0xDEF:032x}").status == 200
