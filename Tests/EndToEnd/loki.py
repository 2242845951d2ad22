"""A real Loki on loopback, for tests that compare. Its binary is named by LOKI_BINARY (and logcli's by LOGCLI_BINARY); there is none in Debian."""

import os
import pathlib

import pytest

from stack import Process, eventually, free_port, http


def binary(variable, name):
    """The path of a binary; the test is skipped where there is none."""
    path = os.environ.get(variable)
    if not path or not pathlib.Path(path).exists():
        pytest.skip(f"{variable} names no {name}")
    return path


class Loki:
    def __init__(self, folder):
        self.folder = pathlib.Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.port, grpc = free_port(), free_port()
        self.base = f"http://127.0.0.1:{self.port}"
        (self.folder / "loki.yaml").write_text(f"""
auth_enabled: false
server: {{http_listen_address: 127.0.0.1, http_listen_port: {self.port}, grpc_listen_address: 127.0.0.1, grpc_listen_port: {grpc}, log_level: error}}
common:
  instance_addr: 127.0.0.1
  path_prefix: {self.folder}
  replication_factor: 1
  ring: {{kvstore: {{store: inmemory}}}}
  storage: {{filesystem: {{chunks_directory: {self.folder}/chunks, rules_directory: {self.folder}/rules}}}}
schema_config: {{configs: [{{from: 2020-10-24, store: tsdb, object_store: filesystem, schema: v13, index: {{prefix: index_, period: 24h}}}}]}}
limits_config: {{split_queries_by_interval: 48h, shard_aggregations: [approx_topk], ingestion_rate_mb: 1000, ingestion_burst_size_mb: 1000, reject_old_samples: false, max_query_series: 100000, volume_enabled: true}}
pattern_ingester: {{enabled: true}}
analytics: {{reporting_enabled: false}}
""")
        self.process = None

    def start(self):
        self.process = Process("loki", [binary("LOKI_BINARY", "Loki"), f"-config.file={self.folder}/loki.yaml", "-target=all"], self.folder)
        eventually(lambda: http("GET", self.base + "/ready", timeout=2).status == 200, timeout=120, what="Loki is ready")

    def stop(self):
        self.process.stop(timeout=60)
