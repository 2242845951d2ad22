"""What was acknowledged is there after kill -9, whenever it comes."""

import json
import random
import threading
import time

from stack import Apus, http, nanoseconds
from wire import REMOTE_WRITE_HEADERS, remote_write


class Writer(threading.Thread):
    """Pushes numbered items of one signal until told to stop; remembers which were acknowledged."""

    def __init__(self, apus, name):
        super().__init__(daemon=True)
        self.apus, self.name_, self.acknowledged, self.ended = apus, name, [], threading.Event()

    def run(self):
        number = 0
        while not self.ended.is_set():
            number += 1
            try:
                if self.push(number).status in (200, 204):
                    self.acknowledged.append(number)
            except OSError:
                time.sleep(0.01)


class Samples(Writer):
    base = int(time.time() * 1000) - 3_600_000

    def push(self, number):
        body = remote_write([({"__name__": "durable_total", "writer": self.name_}, [(self.base + number, float(number))])])
        return http("POST", self.apus.base + "/api/v1/write", body, REMOTE_WRITE_HEADERS, timeout=2)

    def missing(self):
        answer = self.apus.get("/api/v1/query", query=f'durable_total{{writer="{self.name_}"}}[2h]', time=self.base / 1000 + 3600)
        result = answer.json()["data"]["result"]
        found = {int(float(value)) for series in result for _, value in series["values"]}
        return [number for number in self.acknowledged if number not in found]


class Lines(Writer):
    base = nanoseconds() - 3_600_000_000_000

    def push(self, number):
        body = {"streams": [{"stream": {"job": "durable", "writer": self.name_}, "values": [[str(self.base + number), f"line {number}"]]}]}
        return http("POST", self.apus.base + "/loki/api/v1/push", json.dumps(body).encode(), {"Content-Type": "application/json"}, timeout=2)

    def missing(self):
        entries = self.apus.logs(f'{{job="durable", writer="{self.name_}"}}', limit=50_000, start=self.base, end=self.base + 10**9)
        found = [int(line.split()[1]) for _, _, line in entries]
        assert len(found) == len(set(found)), "a line came twice"
        return [number for number in self.acknowledged if number not in set(found)]


class Spans(Writer):
    base = nanoseconds() - 3_600_000_000_000

    def trace(self, number):
        return f"{number:032x}"

    def push(self, number):
        span = {"traceId": self.trace(number), "spanId": f"{number:016x}", "name": "durable", "kind": 2,
                "startTimeUnixNano": str(self.base + number), "endTimeUnixNano": str(self.base + number + 1000)}
        body = {"resourceSpans": [{"resource": {"attributes": [{"key": "service.name", "value": {"stringValue": "durable"}}]},
                                   "scopeSpans": [{"spans": [span]}]}]}
        return http("POST", self.apus.base + "/v1/traces", json.dumps(body).encode(), {"Content-Type": "application/json"}, timeout=2)

    def missing(self):
        return [number for number in self.acknowledged if self.apus.get(f"/api/traces/{self.trace(number)}").status != 200]


def test_every_acknowledged_item_survives_kill_9(tmp_path):
    apus = Apus(tmp_path / "apus")
    apus.start()
    chance = random.Random(20261122)
    writers = [Samples(apus, "a"), Samples(apus, "b"), Lines(apus, "a"), Lines(apus, "b"), Spans(apus, "a")]
    for writer in writers:
        writer.start()
    slowest = 0.0
    for _ in range(6):
        time.sleep(chance.uniform(0.2, 1.2))
        apus.kill()
        slowest = max(slowest, apus.start())
    time.sleep(0.5)
    for writer in writers:
        writer.ended.set()
    for writer in writers:
        writer.join(10)
    for writer in writers:
        assert len(writer.acknowledged) > 20, f"{type(writer).__name__}: hardly anything was taken"
        missing = writer.missing()
        assert not missing, f"{type(writer).__name__}: {len(missing)} of {len(writer.acknowledged)} acknowledged are gone, first {missing[:5]}"
    # The same holds once all of it lies in parts.
    assert apus.post("/-/compact").status in (200, 204)
    for writer in writers:
        assert not writer.missing()
    print(f"slowest restart after kill -9: {slowest:.3f} s")
    assert apus.stop() == 0


def test_a_stopped_apus_keeps_everything_and_starts_again(tmp_path):
    apus = Apus(tmp_path / "apus")
    apus.start()
    writer = Samples(apus, "c")
    for number in range(1, 51):
        assert writer.push(number).status == 204
        writer.acknowledged.append(number)
    assert apus.stop() == 0
    apus.start()
    assert not writer.missing()
    assert apus.stop() == 0
