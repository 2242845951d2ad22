"""Fake targets for scraping: each format that Prometheus asks for, and targets that do not behave."""

import http.server
import struct
import threading
import time

from wire import field, varint

PROTOBUF = "application/vnd.google.protobuf; proto=io.prometheus.client.MetricFamily; encoding=delimited"
OPENMETRICS = "application/openmetrics-text; version=1.0.0; charset=utf-8"


def double(number, value):
    return varint(number << 3 | 1) + struct.pack("<d", value)


def integer(number, value):
    return varint(number << 3) + varint(value)


def text(number, value):
    return field(number, value.encode())


def zigzag(value):
    return varint(value << 1 if value >= 0 else (-value << 1) - 1)


def label(name, value):
    return field(1, text(1, name) + text(2, value))


def delimited(message):
    return varint(len(message)) + message


def protobuf(now, count):
    """A counter with exemplar and start, a native histogram with classic buckets, and one with floats."""
    start = field(3, integer(1, int(now) - 60))
    counter = text(1, "fake_requests_total") + text(2, "Requests") + integer(3, 0) + field(4, label("code", "200") + field(
        3, double(1, count) + field(2, label("trace_id", "4bf92f3577b34da6a3ce929d0e0e4736") + double(2, 0.5) + field(3, integer(1, int(now)))) + start))
    buckets = b"".join(field(3, integer(1, total) + double(2, bound)) for bound, total in [(0.1, 1), (1.0, 3)])
    native = integer(1, 4) + double(2, 2.5) + buckets + varint(5 << 3) + zigzag(2) + double(6, 0.001) + integer(7, 1) + field(
        12, varint(1 << 3) + zigzag(-3) + integer(2, 2)) + field(13, zigzag(2) + zigzag(-1))
    histogram = text(1, "fake_latency_seconds") + integer(3, 4) + field(4, field(7, native)) + text(5, "seconds")
    floats = double(4, 2.5) + double(2, 1.0) + varint(5 << 3) + zigzag(0) + field(12, integer(2, 1)) + field(14, struct.pack("<d", 2.5))
    gauge = text(1, "fake_float") + integer(3, 5) + field(4, field(7, floats))
    return delimited(counter) + delimited(histogram) + delimited(gauge)


def openmetrics(now, count):
    return f"""# TYPE fake_requests counter
fake_requests_total{{code="200"}} {count} # {{trace_id="abc"}} 0.5 {now:.3f}
fake_requests_created{{code="200"}} {now - 60:.3f}
# TYPE fake_latency_seconds histogram
# UNIT fake_latency_seconds seconds
fake_latency_seconds_bucket{{le="0.1"}} 1
fake_latency_seconds_bucket{{le="1"}} 3
fake_latency_seconds_bucket{{le="+Inf"}} 4
fake_latency_seconds_sum 2.5
fake_latency_seconds_count 4
# EOF
""".encode()


def plain(count, utf8):
    names = f'{{"fake.requests","http.code"="200"}} {count}\n' if utf8 else ""
    return f"# HELP fake_requests_total Requests\n# TYPE fake_requests_total counter\nfake_requests_total{{code=\"200\"}} {count}\n{names}".encode()


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        target = self.server.target
        target.accepts.append(self.headers.get("Accept", ""))
        target.count += 1
        getattr(target, "answer_" + target.kind)(self)

    def send(self, body, content_type):
        self.send_response(200)
        if content_type is not None:
            self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


class Target:
    """A target of one kind on a free port."""

    def __init__(self, kind, body=b""):
        self.kind, self.body, self.accepts, self.count, self.open = kind, body, [], 0, 0
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.server.target = self
        self.port = self.server.server_address[1]
        self.address = f"127.0.0.1:{self.port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def stop(self):
        self.server.shutdown()
        self.server.server_close()

    def answer_protobuf(self, request):
        request.send(protobuf(time.time(), self.count), PROTOBUF)

    def answer_openmetrics(self, request):
        request.send(openmetrics(time.time(), self.count), OPENMETRICS)

    def answer_text(self, request):
        request.send(plain(self.count, "version=1.0.0;escaping=allow-utf-8" in request.headers["Accept"]), "text/plain; version=1.0.0; escaping=allow-utf-8")

    def answer_blank(self, request):
        request.send(plain(self.count, False), None)

    def answer_body(self, request):
        request.send(self.body() if callable(self.body) else self.body, "text/plain; version=0.0.4")

    def answer_silence(self, request):
        time.sleep(60)

    def stream(self, request, chunk, pause):
        request.send_response(200)
        request.send_header("Content-Type", "text/plain; version=0.0.4")
        request.send_header("Connection", "close")
        request.end_headers()
        self.open += 1
        try:
            while True:
                request.wfile.write(chunk)
                request.wfile.flush()
                time.sleep(pause)
        except OSError:
            pass
        finally:
            self.open -= 1

    def answer_drip(self, request):
        self.stream(request, b"drip 1\n", 0.05)

    def answer_endless(self, request):
        self.stream(request, b"endless 1\n" * 10_000, 0)
