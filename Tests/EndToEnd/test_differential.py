"""Debian's Prometheus and Apus receive the same remote-write data and get the same queries: real ones (where ../shared lies beside the
checkout), and generated ones from a seeded grammar. Instant and range answers must be equal.

Prometheus 2.42 knows less than 3.x: what it does not parse is left out. Ranges are closed on the left there and open in 3.x, so no sample
lies on the edge of a window. DIFFERENTIAL_SEED runs other queries, DIFFERENTIAL_COUNT more of them.
"""

import http.client
import json
import math
import os
import pathlib
import random
import re
import struct
import time
import urllib.parse

import pytest

from stack import Apus, Process, ROOT, eventually, free_port, http as call, need
from wire import REMOTE_WRITE_HEADERS, remote_write

SEED = int(os.environ.get("DIFFERENTIAL_SEED", "11"))
COUNT = int(os.environ.get("DIFFERENTIAL_COUNT", 400))
QUERIES = ROOT.parent / "shared/conformance/promql/queries.txt"
SPACING, SAMPLES = 15_000, 61
STALE = struct.unpack("<d", struct.pack("<Q", 0x7FF0000000000002))[0]
BOUNDS = ["0.1", "0.5", "1", "5", "+Inf"]


class Server:
    """One side, over a connection that stays open."""

    def __init__(self, port):
        self.port, self.connection = port, None

    def ask(self, path, parameters):
        body = urllib.parse.urlencode(parameters)
        for attempt in (0, 1):
            try:
                self.connection = self.connection or http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
                self.connection.request("POST", path, body, {"Content-Type": "application/x-www-form-urlencoded"})
                return json.loads(self.connection.getresponse().read())
            except (http.client.HTTPException, OSError):
                self.connection = None
                if attempt:
                    raise


# Data

def selectors(node):
    """The selectors of a syntax tree."""
    if isinstance(node, list):
        for item in node:
            yield from selectors(item)
    elif isinstance(node, dict):
        if node.get("type") in ("vectorSelector", "matrixSelector"):
            yield node
        else:
            for value in node.values():
                yield from selectors(value)


def labels_named(node):
    """Labels that aggregations and matchings name."""
    if isinstance(node, list):
        return set().union(*map(labels_named, node)) if node else set()
    if not isinstance(node, dict):
        return set()
    found = set(node.get("grouping") or [])
    matching = node.get("matching") or {}
    found |= set(matching.get("labels") or []) | set(matching.get("include") or [])
    for value in node.values():
        found |= labels_named(value)
    return found


def satisfying(matchers):
    """Labels that such matchers let through; None where that takes more than a look."""
    labels = {}
    for matcher in matchers:
        name, value = matcher["name"], matcher["value"]
        if matcher["type"] == "=" and value:
            labels[name] = value
        elif matcher["type"] == "=~":
            first = value.split("|")[0].strip("()^$").replace(".*", "x").replace(".+", "x").replace("\\.", ".").replace("\\\\", "")
            if re.fullmatch(r"[\w./ :-]*", first):
                labels[name] = first
        elif matcher["type"] in ("!=", "!~") and value in ("", ".*"):
            labels[name] = "x"
    return labels if labels.get("__name__") else None


def make_series(rng, labels, end):
    """Samples of one series: a counter where the name says so, a gauge elsewhere; gaps, resets and staleness markers in some."""
    name = labels["__name__"]
    is_counter = re.search(r"_(total|count|sum|bucket)$", name) is not None
    value = rng.randrange(10_000, 20_000) if is_counter else rng.choice((-1, 1, 1, 1)) * rng.uniform(600, 1000)
    # Off the full second, so that no window's edge meets a sample.
    start = end - SPACING * SAMPLES + rng.randrange(1, 900)
    gap = rng.randrange(SAMPLES) if rng.random() < 0.1 else None
    samples = []
    for i in range(SAMPLES):
        if is_counter:
            value = 5000 + rng.randrange(100) if rng.random() < 0.004 else value + rng.randrange(0, 50)
        else:
            # Of a falling gauge's rate behind a gap, 2.42 looks at zero before it looks at the gap, 3.x the other way round.
            value += rng.randrange(-50 if gap is None else 0, 51) / 4
        if gap is not None and gap <= i < gap + 4:
            if i == gap:
                samples.append((start + i * SPACING, STALE))
            continue
        samples.append((start + i * SPACING, float(value)))
    return labels, samples


def make_histogram(rng, labels, end):
    start = end - SPACING * SAMPLES + rng.randrange(1, 900)
    counts, columns = [rng.randrange(1000, 2000) for _ in BOUNDS], [[] for _ in BOUNDS]
    for i in range(SAMPLES):
        counts = [count + rng.randrange(0, 20) for count in counts]
        for b in range(len(BOUNDS)):
            columns[b].append((start + i * SPACING, float(sum(counts[: b + 1]))))
    return [({**labels, "le": bound}, column) for bound, column in zip(BOUNDS, columns)]


def data_for(trees, rng, end):
    """Series that the queries find: for each selector one label set it lets through, twice, with every label that the query groups by."""
    found = {}
    for tree in trees:
        grouping = labels_named(tree) - {"le", "__name__"}
        for selector in selectors(tree):
            labels = satisfying(selector["matchers"])
            if labels is None:
                continue
            for instance in ("a:9100", "b:9100"):
                one = {"instance": instance, "job": "node", **{name: f"{name}-1" for name in sorted(grouping)}, **labels}
                found[tuple(sorted((k, v) for k, v in one.items() if v))] = True
    series, seen = [], set()
    for key in found:
        labels = dict(key)
        if labels["__name__"].endswith("_bucket"):
            labels.pop("le", None)
            if (again := tuple(sorted(labels.items()))) in seen:
                continue
            seen.add(again)
            series += make_histogram(rng, labels, end)
        else:
            series.append(make_series(rng, labels, end))
    return series


def make_states(rng, labels, end):
    """A gauge of a few small numbers, now and then none at all."""
    start = end - SPACING * SAMPLES + rng.randrange(1, 900)
    return labels, [(start + i * SPACING, rng.choice([0.0, 1.0, 2.0, 3.0, -1.0, math.nan])) for i in range(SAMPLES)]


def make_native(rng, labels, end):
    """A native histogram that counts up, with a reset in some."""
    start = end - SPACING * SAMPLES + rng.randrange(1, 900)
    counts, total, samples = [rng.randrange(100, 200) for _ in range(6)], 1000.0, []
    for i in range(SAMPLES):
        counts = [count + rng.randrange(0, 9) for count in counts]
        total += rng.randrange(0, 40) / 4
        if rng.random() < 0.01:
            # Not near zero, for which 2.42 does not look in histograms.
            counts, total = [50, 40, 50, 60, 50, 50], 205.5
        samples.append((start + i * SPACING, (list(counts), total)))
    return labels, samples


def shop_series(rng, end):
    """What the generated queries ask for."""
    series = []
    for job in ("api", "db", "web"):
        series.append(make_series(rng, {"__name__": "d_owner", "job": job, "team": f"{job}-team"}, end))
        for instance in range(3):
            base = {"job": job, "instance": f"{job}-{instance}"}
            series.append(make_series(rng, {"__name__": "d_temperature", **base}, end))
            series.append(make_series(rng, {"__name__": "d_limit", **base}, end))
            series.append(make_states(rng, {"__name__": "d_state", **base}, end))
            series.append(make_native(rng, {"__name__": "d_wait", **base}, end))
            for code in ("200", "404", "500"):
                series.append(make_series(rng, {"__name__": "d_requests_total", "code": code, **base}, end))
            series += make_histogram(rng, {"__name__": "d_latency_bucket", **base}, end)
    return series


# Queries

# What Prometheus 3.x calls otherwise than 2.42.
RENAMED = {"holt_winters": "double_exponential_smoothing"}


class Grammar:
    """Random queries over `shop_series`: every function, operator and modifier of Prometheus 2.42, but for quantiles and fractions of native
    histograms, which 3.x interpolates otherwise."""

    def __init__(self, seed, end):
        self.rng, self.end = random.Random(seed), end

    def one(self, depth=3):
        return self.rng.choices([lambda: self.vector(depth), lambda: self.scalar(depth)], [20, 1])[0]()

    def pick(self, *choices):
        return self.rng.choice(choices)

    # Selectors

    def matchers(self):
        return self.pick("", "", '{job="api"}', '{job=~"api|db"}', '{job!="web"}', '{instance=~".*-[01]"}', '{instance!~"db.*"}', '{nobody=""}',
                         '{job=~".+", instance!="api-0"}', '{job="nobody"}')

    def modifier(self, at=True, offset=None):
        # Off the grid: a window or subquery that begins on a sample's or step's time has one more of them in 2.42.
        instant = self.pick("", "", "", "", "", " @ end()", " @ start()", f" @ {self.end - 367}.5") if at else ""
        if offset:
            return f"{instant} offset {self.pick('', '1m', '-1m')}{offset}"
        return instant + self.pick("", "", "", " offset 1m", " offset -30s", " offset 2m", " offset 1h", " offset 15s500ms")

    def gauge(self):
        return self.pick("d_temperature", "d_limit", "d_state", "d_owner") + self.matchers()

    def counter(self):
        return "d_requests_total" + self.matchers()

    def selector(self):
        return self.pick(self.gauge, self.counter)()

    def duration(self):
        return self.pick("1m", "2m", "5m", "90s", "3m30s", "1h", "10m10s")

    def window(self, selector, depth, at=True):
        """A range vector: of a selector, or a subquery."""
        if depth > 0 and self.rng.random() < 0.3:
            return f"({self.vector(depth - 1)})[{self.pick('4m', '90s', '10m')}:{self.pick('30s', '1m', '20s', '')}]{self.modifier(at, '11s')}"
        return f"{selector}[{self.duration()}]{self.modifier(at)}"

    # Functions of ranges

    def range_call(self, depth=0):
        over = self.pick("avg", "min", "max", "sum", "count", "last", "stddev", "stdvar", "present")
        gauge, counter = self.window(self.gauge(), depth), self.window(self.counter(), depth)
        return self.pick(
            # Where a counter begins near zero within the window 3.x extrapolates less: those of the data do not.
            f"{self.pick('rate', 'increase')}({self.window(self.counter(), 0)})",
            f"{self.pick('irate', 'resets')}({counter})",
            f"{self.pick('delta', 'idelta', 'deriv', 'changes', 'resets')}({gauge})",
            f"{over}_over_time({gauge})",
            f"quantile_over_time({self.pick('0.1', '0.5', '0.99', '0', '1', '-1', '1.5')}, {gauge})",
            # With @ the window moves on with the steps in 2.42.
            f"predict_linear({self.window(self.gauge(), depth, at=False)}, {self.pick('600', '-60', '3600')})",
            f"holt_winters({self.pick('d_temperature', 'd_limit')}{self.matchers()}[{self.duration()}], {self.pick('0.1', '0.5')}, {self.pick('0.3', '0.9')})",
            f"absent_over_time({gauge})",
            f"max_over_time(rate({self.counter()}[1m])[4m:30s] offset 11s)")

    def native(self):
        """Numbers from native histograms."""
        window = f"d_wait{self.matchers()}[{self.duration()}]{self.modifier()}"
        value = self.pick(
            f"d_wait{self.matchers()}", f"{self.pick('rate', 'increase')}({window})", f"sum{self.grouping()} (d_wait{self.matchers()})",
            f"sum{self.grouping()} (rate({window}))", "(d_wait + d_wait)")
        return self.pick(
            f"{self.pick('histogram_count', 'histogram_sum')}({value})", f"count{self.grouping()} ({value})", f"group{self.grouping()} ({value})",
            f"{self.pick('count', 'present')}_over_time({window})", f"timestamp(d_wait{self.matchers()})", f"absent({value})")

    # Functions of instants

    def grouping(self):
        return self.pick("", " by (job)", " by (job, code)", " without (instance)", " by (instance)", " without (code, job)", " by (nobody)", " without ()")

    def aggregation(self, depth):
        inner = self.vector(depth - 1)
        return self.pick(
            f"{self.pick('sum', 'avg', 'count', 'min', 'max', 'group')}{self.grouping()} ({inner})",
            # Where the first is NaN or infinite 2.42 says 0; of numbers as large as times only rounding is left.
            f"{self.pick('stddev', 'stdvar')}{self.grouping()} (({inner}) < 1e6 > -1e6)",
            f"quantile{self.grouping()} ({self.pick('0.75', '0', '1', '0.123', '-0.1', '2')}, {inner})",
            # Which of equal values they keep is nobody's promise: their number is.
            f"count ({self.pick('topk', 'bottomk')}{self.grouping()} ({self.pick('2', '1', '0', '100')}, {inner}))",
            f"{self.pick('topk', 'bottomk')}{self.grouping()} ({self.pick('2', '5')}, {self.pick('d_temperature', 'd_limit')}{self.matchers()})",
            f'count_values{self.grouping()} ("value", {self.pick("d_temperature", "d_requests_total", "floor(d_limit)")}{self.modifier()})')

    def binary(self, depth):
        left = f"{self.pick('sum', 'avg', 'last')} by (job, instance) ({self.vector(depth - 1)})".replace("last by", "min by")
        right = f"max by (job, instance) ({self.vector(depth - 1)})"
        one = f"sum by (job) ({self.vector(depth - 1)})"
        compare = self.pick(">", "<", ">=", "<=", "==", "!=")
        return self.pick(
            # Not atan2: it tells -0 from 0, and a sum of -0 is 0 in 3.x.
            f"{left} {self.pick('+', '-', '*', '/', compare, compare + ' bool')} {self.pick('', 'on (job, instance) ', 'ignoring (code) ')}{right}",
            f"{left} {self.pick('and', 'or', 'unless')} {self.pick('', 'on (job) ', 'ignoring (instance) ', 'on () ')}{self.vector(depth - 1)}",
            f"{left} {self.pick('+', '*', '/', compare, compare + ' bool')} {self.pick('on (job)', 'ignoring (instance)')} group_left {one}",
            f"{one} {self.pick('-', '/', compare)} on (job) group_right {left}",
            f"{self.pick(left, self.selector())} * on (job) group_left (team) d_owner",
            f"({self.vector(depth - 1)}) {self.pick('+', '*', '/', '^', '-', compare, compare + ' bool')} {self.pick('2', '0.5', '-3', '100', 'Inf', 'NaN')}",
            f"{self.pick('2', '0.5', '-3', '1e3')} {self.pick('+', '*', '/', '-', compare)} ({self.vector(depth - 1)})",
            # 2.42 keeps the name with atan2; the function takes it away.
            f"abs({self.counter()} {self.pick('%', 'atan2')} {self.pick('7', '-3', '0.5', '0')})",
            f"({self.vector(depth - 1)}) {self.pick('+', '*', compare)} ({self.scalar(depth - 1)})")

    def call(self, depth):
        inner = self.vector(depth - 1)
        # Far from zero a last digit's difference would be a circle's.
        angle = f"clamp({inner}, -{self.pick('1', '20')}, {self.pick('1', '20')})"
        return self.pick(
            f"{self.pick('abs', 'ceil', 'floor', 'sqrt', 'ln', 'sgn', 'log10', 'log2', 'deg', 'rad')}({inner})",
            f"{self.pick('sin', 'cos', 'tan', 'asin', 'acos', 'atan', 'sinh', 'cosh', 'tanh', 'asinh', 'acosh', 'atanh', 'exp')}({angle})",
            f"clamp({inner}, {self.pick('-5', '3', '100')}, {self.pick('500', '2')})", f"clamp_min({inner}, 5)", f"clamp_max({inner}, 5)",
            f"round({inner}, {self.pick('0.25', '5', '1', '-2')})", f"round({self.gauge()})", f"-({inner})", f"+({inner})",
            f"scalar({inner}) + vector({self.scalar(depth - 1)})", f"absent({inner})", f"absent({self.selector()}{self.modifier()})",
            f'label_replace({inner}, "dst", "{self.pick("$1", "x-$1-y", "$2", "")}", "instance", "{self.pick("(.*)-.*", "api-(.)", "nomatch", "(?P<n>.).*")}")',
            f'label_join({inner}, "{self.pick("dst", "job")}", "{self.pick("/", "")}", "job", "instance")',
            f"histogram_quantile({self.pick('0.5', '0.9', '0.99', '0', '1', '-1', '2')}, sum by (le, job) (rate(d_latency_bucket[{self.duration()}]{self.modifier()})))",
            f"histogram_quantile(0.9, d_latency_bucket{self.matchers()})",
            # With @ Prometheus passes over the offset, in part.
            f"timestamp({self.selector()}{self.modifier(at=False)})", f"timestamp(({inner}))", f"sum(rate(d_latency_bucket[{self.duration()}])) by (le)",
            f"{self.pick('sort', 'sort_desc')}({inner})",
            f"{self.pick('day_of_month', 'day_of_week', 'day_of_year', 'days_in_month', 'hour', 'minute', 'month', 'year')}"
            f"({self.pick('', f'{inner}', f'{self.counter()} * 1000000', 'vector(time())')})")

    def scalar(self, depth):
        if depth <= 0:
            return self.pick("time()", "pi()", "42", "-0.5", "1e9", "0x1f", "Inf", "scalar(d_owner{job='api'})")
        a, b = self.scalar(depth - 1), self.scalar(depth - 1)
        return self.pick(f"({a} {self.pick('+', '-', '*', '/', '%', '^', 'atan2', '> bool', '== bool', '<= bool')} {b})",
                         f"scalar({self.vector(depth - 1)})", f"-({a})", "time()", "42")

    def vector(self, depth):
        if depth <= 0:
            return self.rng.choices([lambda: self.selector() + self.modifier(), self.range_call, self.native], [5, 5, 1])[0]()
        kinds = [lambda: self.range_call(depth), self.aggregation, self.binary, self.call]
        kind = self.rng.choices(kinds, [3, 4, 3, 3])[0]
        return kind() if kind is kinds[0] else kind(depth)


# Comparison

def is_close(a, b):
    x, y = float(a), float(b)
    if math.isnan(x) or math.isnan(y):
        return math.isnan(x) and math.isnan(y)
    return x == y or abs(x - y) <= 1e-9 * max(abs(x), abs(y)) or abs(x - y) < 1e-9


def normalized(data):
    if data["resultType"] in ("scalar", "string"):
        return {"": [data["result"]]}
    # Of histograms only when they are: versions write them differently.
    times = lambda one: [[t, "0"] for t, _ in one.get("histograms") or [one["histogram"]]]
    return {json.dumps(one["metric"], sort_keys=True): one.get("values") or ([one["value"]] if "value" in one else times(one)) for one in data["result"]}


def difference(theirs, ours):
    """What differs between two answers; None where nothing does."""
    if theirs["status"] != ours["status"]:
        return f"{theirs['status']} {theirs.get('error', '')!r} and {ours['status']} {ours.get('error', '')!r}"
    if theirs["status"] != "success":
        return None
    a, b = normalized(theirs["data"]), normalized(ours["data"])
    if a.keys() != b.keys():
        return f"only Prometheus: {sorted(a.keys() - b.keys())[:3]}; only Apus: {sorted(b.keys() - a.keys())[:3]}"
    for key in a:
        if [t for t, _ in a[key]] != [t for t, _ in b[key]]:
            return f"{key}: at {[t for t, _ in a[key]][:5]}… and {[t for t, _ in b[key]][:5]}…"
        for (t, x), (_, y) in zip(a[key], b[key]):
            if not is_close(x, y):
                return f"{key} at {t}: {x} and {y}"
    return None


@pytest.fixture(scope="module")
def both(tmp_path_factory):
    folder = tmp_path_factory.mktemp("differential")
    apus = Apus(folder / "apus", arguments=["--enable-feature=promql-experimental-functions"])
    apus.start()
    port = free_port()
    (folder / "prometheus.yml").write_text("global: {scrape_interval: 1h}\n")
    prometheus = Process("prometheus", [
        need("prometheus"), f"--config.file={folder}/prometheus.yml", f"--storage.tsdb.path={folder}/tsdb",
        f"--web.listen-address=127.0.0.1:{port}", "--web.enable-remote-write-receiver", "--enable-feature=native-histograms",
        "--log.level=error"], folder)
    try:
        eventually(lambda: call("GET", f"http://127.0.0.1:{port}/-/ready").status == 200, what="Prometheus is ready")
        theirs, ours = Server(port), Server(apus.port)
        end = int(time.time()) // 60 * 60
        rng = random.Random(SEED)
        real = [line for line in QUERIES.read_text().splitlines() if line] if QUERIES.exists() else []
        trees = [ours.ask("/api/v1/parse_query", {"query": query})["data"] for query in real]
        series = shop_series(rng, end * 1000) + data_for(trees, rng, end * 1000)
        for first in range(0, len(series), 400):
            body = remote_write(series[first : first + 400])
            for base in (f"http://127.0.0.1:{port}", apus.base):
                answer = call("POST", f"{base}/api/v1/write", body, REMOTE_WRITE_HEADERS, timeout=60)
                assert answer.status in (200, 204), answer.text
        print(f"differential: seed {SEED}, {len(series)} series, {len(real)} real queries, {COUNT} generated ones")
        yield theirs, ours, end, real
    finally:
        prometheus.stop()
        apus.stop()


def compare(both, queries):
    """Asks both sides everything, at an instant and over a range."""
    theirs, ours, end, _ = both
    equal = skipped = with_data = 0
    failures = []
    for query in queries:
        # 7 s off the grid: Debian's Prometheus (2.42) still counts a subquery's step at the very start of its range, 3.x does not.
        instant = ("/api/v1/query", {"query": query, "time": end - 53})
        expected = theirs.ask(*instant)
        if expected["status"] == "error" and expected["errorType"] == "bad_data":
            skipped += 1
            continue
        renamed = re.sub("|".join(RENAMED), lambda match: RENAMED[match[0]], query)
        problem = difference(expected, ours.ask("/api/v1/query", {"query": renamed, "time": end - 53}))
        if problem is None and (expected.get("data") or {}).get("resultType") in ("vector", "scalar"):
            over = {"start": end - 593, "end": end - 8, "step": 45}
            problem = difference(theirs.ask("/api/v1/query_range", {"query": query, **over}), ours.ask("/api/v1/query_range", {"query": renamed, **over}))
        if problem:
            failures.append(f"{query}\n    {problem}")
        else:
            equal += 1
            with_data += bool((expected.get("data") or {}).get("result"))
    print(f"differential: seed {SEED}: {equal} equal, {with_data} of them with data, {skipped} not known to this Prometheus, {len(failures)} different")
    assert not failures, f"seed {SEED}, {len(failures)} of {len(queries)} differ:\n" + "\n".join(failures[:20])
    return with_data


@pytest.mark.skipif(not QUERIES.exists(), reason="reads ../shared, which this checkout does not have")
def test_real_queries_give_what_prometheus_gives(both):
    assert compare(both, both[3]) > 500


def test_generated_queries_give_what_prometheus_gives(both):
    grammar = Grammar(SEED, both[2])
    assert compare(both, [grammar.one() for _ in range(COUNT)]) > COUNT / 2
