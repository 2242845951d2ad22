"""Host metrics beside Debian's node exporter on the same machine: the same names, label sets, types and help texts, and values that
agree."""

import re

import pytest

from stack import Apus, Process, eventually, free_port, http, need

# What both measure. Names that 1.5.0 has and that depend on the moment (a collector's duration) are left out below.
COLLECTORS = ["arp", "conntrack", "cpu", "diskstats", "entropy", "filefd", "filesystem", "loadavg", "meminfo", "netclass", "netdev", "netstat", "os",
              "pressure", "sockstat", "softnet", "stat", "time", "timex", "udp_queues", "uname", "vmstat"]
# Counters and gauges that a busy machine moves between the two readings by more than a few percent.
LIVELY = re.compile(
    "node_(load|procs_|memory_|network_|netstat_|sockstat_|softnet_|disk_|pressure_|cpu_|vmstat_|forks|intr|context|filefd_|timex_|udp_|arp_|"
    "filesystem_(avail|free|files_free))")
# Sets of labels that newer versions have and 1.5.0 has not.
NEWER_LABELS = {"node_disk_info": {"rotational"}, "node_network_info": {"adminstate"}}


def parse(text):
    """Families and samples of an exposition: {name: (type, help)}, {(name, labels): value}; empty labels are none."""
    types, helps, samples = {}, {}, {}
    for line in text.splitlines():
        if line.startswith("# TYPE "):
            _, _, name, kind = line.split(" ", 3)
            types[name] = kind
        elif line.startswith("# HELP "):
            _, _, name, help_text = line.split(" ", 3)
            helps[name] = help_text
        elif line:
            head, value = line.rsplit(" ", 1)
            name, _, rest = head.partition("{")
            labels = frozenset((k, v) for k, v in re.findall(r'(\w+)="((?:[^"\\]|\\.)*)"', rest) if v)
            samples[name, labels] = float(value)
    return {name: (types[name], helps.get(name, "")) for name in types}, samples


@pytest.fixture(scope="module")
def measured(tmp_path_factory):
    folder = tmp_path_factory.mktemp("host")
    port = free_port()
    exporter = Process("node-exporter", [
        need("prometheus-node-exporter"), f"--web.listen-address=127.0.0.1:{port}", "--collector.disable-defaults",
        "--collector.netdev.device-exclude=^$", "--collector.diskstats.device-exclude=^(z?ram|loop|fd|(h|s|v|xv)d[a-z]|nvme\\d+n\\d+p)\\d+$",
        "--collector.filesystem.mount-points-exclude=^/(dev|proc|run/credentials/.+|sys|var/lib/docker/.+|var/lib/containers/storage/.+)($|/)",
        *[f"--collector.{name}" for name in COLLECTORS]], folder)
    apus = Apus(folder / "apus", config="host_metrics: {interval: 1s, labels: {instance: here}}\n")
    apus.start()
    try:
        eventually(lambda: http("GET", f"http://127.0.0.1:{port}/metrics").status == 200, what="the node exporter answers")
        eventually(lambda: apus.prom('up{job="node",instance="here"} == 1'), what="the host is measured")
        families, samples = parse(http("GET", f"http://127.0.0.1:{port}/metrics").text)
        families = {name: family for name, family in families.items() if name.startswith("node_") and "node_exporter_" not in name}
        samples = {key: value for key, value in samples.items() if key[0] in families}
        yield apus, families, samples
    finally:
        exporter.stop()
        if apus.process.alive():
            apus.stop()


def stored(apus):
    """Every series of the host as Apus has it, without the labels of the target."""
    found = {}
    for row in apus.prom('{job="node",__name__=~"node_.+"}'):
        labels = {name: value for name, value in row["metric"].items() if name not in ("__name__", "job", "instance")}
        for name in NEWER_LABELS.get(row["metric"]["__name__"], ()):
            labels.pop(name, None)
        found[row["metric"]["__name__"], frozenset(labels.items())] = float(row["value"][1])
    return found


def test_every_series_of_node_exporter_is_there(measured):
    apus, families, samples = measured
    ours = stored(apus)
    for key in samples:
        assert key in ours or key[0].startswith("node_arp"), f"{key[0]}{dict(key[1])} is missing"
    extra = {name for name, _ in ours} - set(families)
    assert all(re.match("node_(filesystem_mount_info|softnet_|cpu_(online|isolated|core|package)|pressure_irq|network_|netstat_TcpExt_TCP|"
                        "memory_|textfile_|nvme_|hwmon_|thermal|cooling|power_supply|selinux|schedstat|cpu_)", name) for name in extra), extra


def test_types_and_help_are_those_of_node_exporter(measured):
    apus, families, _ = measured
    metadata = apus.get("/api/v1/metadata").json()["data"]
    for name, (kind, help_text) in families.items():
        assert metadata[name][0]["type"] == kind.replace("untyped", "unknown"), name
        assert metadata[name][0]["help"] == help_text, name


def test_values_agree(measured):
    apus, _, samples = measured
    ours = stored(apus)
    compared = 0
    for (name, labels), value in samples.items():
        if "collector" in dict(labels) or (name, labels) not in ours:
            continue
        mine = ours[name, labels]
        if name == "node_time_seconds":
            assert abs(mine - value) < 60
        elif LIVELY.match(name):
            # Both were read within seconds of each other: the same order of magnitude is all that can be held.
            assert (mine == 0) == (value == 0) or abs(mine - value) < 1e8, (name, dict(labels), mine, value)
            if value > 1e6 and name.endswith("_total"):
                assert 0.5 < mine / value < 2, (name, dict(labels), mine, value)
        else:
            assert mine == pytest.approx(value, rel=0.01, abs=1), (name, dict(labels), mine, value)
        compared += 1
    assert compared > 300


def test_cpu_memory_and_file_systems_agree_closely(measured):
    apus, _, samples = measured
    ours = stored(apus)

    def total(series, name, **wanted):
        return sum(value for (found, labels), value in series.items() if found == name and wanted.items() <= dict(labels).items())

    assert total(ours, "node_memory_MemTotal_bytes") == total(samples, "node_memory_MemTotal_bytes")
    assert total(ours, "node_filesystem_size_bytes") == total(samples, "node_filesystem_size_bytes") > 0
    for mode in ("user", "system", "idle"):
        assert total(ours, "node_cpu_seconds_total", mode=mode) == pytest.approx(
            total(samples, "node_cpu_seconds_total", mode=mode), rel=0.2, abs=60), mode
    assert total(ours, "node_boot_time_seconds") == pytest.approx(total(samples, "node_boot_time_seconds"), abs=1)
    assert apus.value('count(count by (cpu) (node_cpu_seconds_total))') > 0


def test_it_is_a_target_like_others_and_its_series_end_when_it_is_turned_off(measured):
    apus, _, _ = measured
    targets = [t for t in apus.get("/api/v1/targets").json()["data"]["activeTargets"] if t["scrapePool"] == "node"]
    assert [t["health"] for t in targets] == ["up"] and targets[0]["labels"] == {"job": "node", "instance": "here"}
    assert apus.value('scrape_samples_scraped{job="node"}') > 300
    assert apus.prom('node_scrape_collector_success{collector="cpu"} == 1')
    (apus.folder / "apus.yaml").write_text("host_metrics: false\n")
    assert apus.post("/-/reload").status == 200
    eventually(lambda: not apus.prom('{job="node"}'), what="staleness markers")
