"""kill -9 under load, again and again: everything acknowledged must be there afterwards, line by line.

`python kills.py 100` kills so often, prints what it compared and how long the restarts took, and exits with 1 where anything
is missing. The tests run a few of them (`APUS_KILLS`)."""

import json
import pathlib
import random
import sys
import tempfile
import threading
import time

from stack import Apus, http, nanoseconds
from wire import REMOTE_WRITE_HEADERS, remote_write


class Writer(threading.Thread):
    """Pushes batches of numbered items of one signal until told to stop; remembers which batches were acknowledged."""

    size = 1

    def __init__(self, apus, name):
        super().__init__(daemon=True)
        self.apus, self.name_, self.acknowledged, self.pushed, self.ended = apus, name, [], 0, threading.Event()

    def run(self):
        while not self.ended.is_set():
            batch, self.pushed = self.pushed, self.pushed + 1
            try:
                if self.push(batch).status in (200, 204):
                    self.acknowledged.append(batch)
            except OSError:
                time.sleep(0.01)

    def numbers(self, batch):
        return range(batch * self.size, (batch + 1) * self.size)

    def wanted(self):
        return {number for batch in self.acknowledged for number in self.numbers(batch)}

    def end(self):
        self.ended.set()
        self.join(20)

    def missing(self):
        """The acknowledged items that are not there. What was not acknowledged may be there or not, but never twice or changed."""
        found = self.found()
        strange = [number for number in found if not 0 <= number < self.pushed * self.size]
        assert not strange, f"{self.title}: items that nobody wrote: {strange[:5]}"
        return sorted(self.wanted() - set(found))

    @property
    def title(self):
        return f"{type(self).__name__.lower()} of {self.name_}"


class Samples(Writer):
    size = 500

    def __init__(self, apus, name):
        super().__init__(apus, name)
        self.base = int(time.time()) * 1000 - 7_200_000

    def push(self, batch):
        rows = [(self.base + number, float(number)) for number in self.numbers(batch)]
        body = remote_write([({"__name__": "durable_total", "writer": self.name_}, rows)])
        return http("POST", self.apus.base + "/api/v1/write", body, REMOTE_WRITE_HEADERS, timeout=5)

    def found(self):
        found, window = [], 100_000
        for start in range(0, self.pushed * self.size, window):
            # The range is open on its left.
            at = (self.base + start + window - 1) / 1000
            for series in self.apus.prom(f'durable_total{{writer="{self.name_}"}}[{window}ms]', time=f"{at:.3f}"):
                for timestamp, value in series["values"]:
                    assert round(timestamp * 1000) - self.base == int(float(value)), f"{value} stands at {timestamp}"
                    found.append(int(float(value)))
        assert len(found) == len(set(found)), "a sample came twice"
        return found


class Lines(Writer):
    size = 100

    def __init__(self, apus, name):
        super().__init__(apus, name)
        self.base = nanoseconds() - 7_200_000_000_000

    def line(self, number):
        return f'{{"level":"info","number":{number},"msg":"line {number} of {self.name_}"}}'

    def push(self, batch):
        values = [[str(self.base + number), self.line(number)] for number in self.numbers(batch)]
        body = {"streams": [{"stream": {"job": "durable", "writer": self.name_}, "values": values}]}
        return http("POST", self.apus.base + "/loki/api/v1/push", json.dumps(body).encode(), {"Content-Type": "application/json"}, timeout=5)

    def found(self):
        found, window = [], 5_000
        for start in range(0, self.pushed * self.size, window):
            entries = self.apus.logs(
                f'{{job="durable", writer="{self.name_}"}}', limit=2 * window, start=self.base + start, end=self.base + start + window)
            for _, timestamp, line in entries:
                number = timestamp - self.base
                assert line == self.line(number), f"{line} stands at {number}"
                found.append(number)
        assert len(found) == len(set(found)), "a line came twice"
        return found


class Spans(Writer):
    """A batch is a trace."""

    size = 10

    def __init__(self, apus, name):
        super().__init__(apus, name)
        self.base = nanoseconds() - 7_200_000_000_000

    def push(self, batch):
        spans = [{"traceId": f"{batch + 1:032x}", "spanId": f"{number + 1:016x}", "name": f"span {number}", "kind": 2,
                  "startTimeUnixNano": str(self.base + number), "endTimeUnixNano": str(self.base + number + 1000)}
                 for number in self.numbers(batch)]
        resource = {"attributes": [{"key": "service.name", "value": {"stringValue": f"durable-{self.name_}"}}]}
        body = {"resourceSpans": [{"resource": resource, "scopeSpans": [{"spans": spans}]}]}
        return http("POST", self.apus.base + "/v1/traces", json.dumps(body).encode(), {"Content-Type": "application/json"}, timeout=5)

    def found(self):
        found = []
        for batch in self.acknowledged:
            answer = self.apus.get(f"/api/traces/{batch + 1:032x}", headers={"Accept": "application/json"})
            if answer.status == 404:
                continue
            assert answer.status == 200, answer.text
            for _, span in self.apus.spans(f"{batch + 1:032x}"):
                found.append(int(span["name"].split()[1]))
        assert len(found) == len(set(found)), "a span came twice"
        return found


def check(writers, when):
    """Compares everything; the number of items compared by writer."""
    counts = {}
    for writer in writers:
        wanted = len(writer.acknowledged) * writer.size
        assert wanted > 0, f"{writer.title}: nothing was taken"
        missing = writer.missing()
        assert not missing, f"{writer.title}, {when}: {len(missing)} of {wanted} acknowledged are gone, first {missing[:5]}"
        counts[writer.title] = wanted
    return counts


def kill_under_load(folder, kills, seed=20261122):
    """Kills so often; compares after it, again once all lies in parts, and after one more restart. The counts and the restarts' seconds."""
    apus = Apus(folder)
    apus.start()
    chance = random.Random(seed)
    writers = [Samples(apus, "a"), Samples(apus, "b"), Lines(apus, "a"), Lines(apus, "b"), Spans(apus, "a")]
    for writer in writers:
        writer.start()
    restarts = []
    for number in range(kills):
        time.sleep(chance.uniform(0.05, 1.2))
        apus.kill()
        restarts.append(apus.start())
        if number % 10 == 9:
            print(f"{number + 1} kills, restarts up to {max(restarts):.3f} s", flush=True)
    time.sleep(0.5)
    for writer in writers:
        writer.end()
    check(writers, "as it is")
    assert apus.post("/-/compact").status in (200, 204)
    counts = check(writers, "in parts")
    apus.kill()
    restarts.append(apus.start())
    check(writers, "after the last restart")
    assert apus.stop() == 0
    return counts, restarts


def main():
    kills = int(sys.argv[1]) if len(sys.argv) > 1 else 100
    seed = int(sys.argv[2]) if len(sys.argv) > 2 else int(time.time())
    print(f"{kills} kills, seed {seed}", flush=True)
    with tempfile.TemporaryDirectory(prefix="apus-kills-") as folder:
        counts, restarts = kill_under_load(pathlib.Path(folder) / "apus", kills, seed)
    restarts.sort()
    for title, count in counts.items():
        print(f"{title}: {count} acknowledged, 0 missing")
    middle = restarts[len(restarts) // 2]
    print(f"{len(restarts)} restarts to ready: median {middle:.3f} s, slowest {restarts[-1]:.3f} s")
    if restarts[-1] > 1:
        sys.exit("a restart took longer than a second")


if __name__ == "__main__":
    main()
