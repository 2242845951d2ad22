"""Real processes for the end-to-end tests: started on free loopback ports in a scratch folder, always stopped by pid."""

import atexit
import json
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.parse
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parents[2]
# Another build, where one is tried out: APUS_BINARY=.build/debug/apus.
APUS = pathlib.Path(os.environ.get("APUS_BINARY", ROOT / ".build/release/apus")).resolve()
RUNNING: list["Process"] = []


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def eventually(check, timeout=30.0, pause=0.2, what="condition"):
    """Calls `check` until it returns something true; returns that. Assertions and refused connections mean "not yet"."""
    deadline, last = time.monotonic() + timeout, None
    while time.monotonic() < deadline:
        try:
            if answer := check():
                return answer
        except (AssertionError, KeyError, IndexError, OSError) as error:
            last = error
        time.sleep(pause)
    raise AssertionError(f"{what}: not within {timeout} s" + (f"; last: {last!r}" if last else ""))


class Process:
    """A child with its own log file."""

    def __init__(self, name, argv, folder, env=None):
        self.name, self.log = name, folder / f"{name}.log"
        with open(self.log, "ab") as log:
            self.child = subprocess.Popen(
                [str(part) for part in argv], stdout=log, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL,
                env={**os.environ, **(env or {})}, cwd=folder, start_new_session=True)
        RUNNING.append(self)

    def alive(self):
        return self.child.poll() is None

    def stop(self, sig=signal.SIGTERM, timeout=20) -> int:
        if self.alive():
            self.child.send_signal(sig)
            try:
                self.child.wait(timeout)
            except subprocess.TimeoutExpired:
                self.child.kill()
                self.child.wait()
                raise AssertionError(f"{self.name} did not stop within {timeout} s of {signal.Signals(sig).name}") from None
        if self in RUNNING:
            RUNNING.remove(self)
        return self.child.returncode

    def tail(self, count=20):
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-count:])

    def memory_mib(self, key="VmRSS"):
        for line in pathlib.Path(f"/proc/{self.child.pid}/status").read_text().splitlines():
            if line.startswith(key + ":"):
                return int(line.split()[1]) / 1024
        return 0.0


@atexit.register
def stop_all():
    for process in reversed(RUNNING[:]):
        if process.alive():
            process.child.kill()
            process.child.wait()


class Answer:
    def __init__(self, status, headers, body):
        self.status, self.headers, self.body = status, headers, body

    @property
    def text(self):
        return self.body.decode()

    def json(self):
        return json.loads(self.body)


def http(method, url, body=None, headers=None, timeout=15) -> Answer:
    request = urllib.request.Request(url, data=body, headers=headers or {}, method=method)
    try:
        with urllib.request.urlopen(request, timeout=timeout) as response:
            return Answer(response.status, response.headers, response.read())
    except urllib.error.HTTPError as error:
        return Answer(error.code, error.headers, error.read())


class Apus:
    """One Apus with its data folder; can be killed and started again."""

    def __init__(self, folder, config=None, arguments=(), env=None, listen=None):
        self.folder, self.arguments, self.env = pathlib.Path(folder), list(arguments), env
        self.folder.mkdir(parents=True, exist_ok=True)
        self.port, self.grpc, self.otlp = free_port(), free_port(), free_port()
        self.listen = listen or f"127.0.0.1:{self.port}"
        self.base = f"http://127.0.0.1:{self.port}"
        if config is not None:
            (self.folder / "apus.yaml").write_text(config)
            self.arguments += ["--config", str(self.folder / "apus.yaml")]
        self.process = None

    def argv(self):
        return [APUS, "serve", "--data-dir", self.folder / "data", "--listen", self.listen,
                "--otlp-grpc-listen", f"127.0.0.1:{self.grpc}", "--otlp-http-listen", f"127.0.0.1:{self.otlp}", *self.arguments]

    def start(self, timeout=20):
        began = time.monotonic()
        self.process = Process("apus", self.argv(), self.folder, self.env)
        while time.monotonic() - began < timeout:
            assert self.process.alive(), f"apus stopped with {self.process.child.returncode}:\n{self.process.tail()}"
            try:
                if http("GET", self.base + "/-/ready", timeout=1).status == 200:
                    return time.monotonic() - began
            except OSError:
                time.sleep(0.005)
        raise AssertionError(f"apus is not ready after {timeout} s:\n{self.process.tail()}")

    def kill(self):
        self.process.stop(signal.SIGKILL)

    def stop(self):
        return self.process.stop()

    def get(self, path, headers=None, **parameters) -> Answer:
        query = urllib.parse.urlencode(parameters, doseq=True)
        return http("GET", self.base + path + ("?" + query if query else ""), headers=headers)

    def post(self, path, body=b"", headers=None) -> Answer:
        return http("POST", self.base + path, body, headers)

    def prom(self, query, **parameters):
        """The result of an instant PromQL query."""
        answer = self.get("/api/v1/query", query=query, **parameters)
        assert answer.status == 200, answer.text
        return answer.json()["data"]["result"]

    def value(self, query, **parameters):
        """The one number that a query gives."""
        result = self.prom(query, **parameters)
        assert len(result) == 1, result
        return float(result[0]["value"][1])

    def logs(self, query, limit=1000, **parameters):
        """All entries of a LogQL query: (labels, timestamp in ns, line)."""
        answer = self.get("/loki/api/v1/query_range", query=query, limit=limit, **parameters)
        assert answer.status == 200, answer.text
        return [(stream["stream"], int(value[0]), value[1])
                for stream in answer.json()["data"]["result"] for value in stream["values"]]

    def traces(self, **parameters):
        answer = self.get("/api/search", **parameters)
        assert answer.status == 200, answer.text
        return answer.json().get("traces") or []

    def spans(self, trace_id):
        """All spans of a trace: (resource attributes, span)."""
        answer = self.get(f"/api/traces/{trace_id}", headers={"Accept": "application/json"})
        assert answer.status == 200, answer.text
        body = answer.json()
        found = []
        for batch in body.get("batches") or body.get("resourceSpans") or []:
            resource = {a["key"]: next(iter(a["value"].values()), None) for a in batch["resource"].get("attributes", [])}
            for scope in batch.get("scopeSpans") or []:
                found += [(resource, span) for span in scope["spans"]]
        return found


def need(binary):
    path = shutil.which(binary)
    assert path, f"{binary} is missing: scripts/setup.sh test installs it"
    return path


def nanoseconds():
    return time.time_ns()
