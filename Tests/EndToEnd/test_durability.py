"""What was acknowledged is there after kill -9, whenever it comes."""

import os

from kills import Samples, check, kill_under_load
from stack import Apus


def test_every_acknowledged_item_survives_kill_9(tmp_path):
    counts, restarts = kill_under_load(tmp_path / "apus", int(os.environ.get("APUS_KILLS", "5")))
    print(f"{counts}; slowest restart after kill -9: {max(restarts):.3f} s")


def test_a_stopped_apus_keeps_everything_and_starts_again(tmp_path):
    apus = Apus(tmp_path / "apus")
    apus.start()
    writer = Samples(apus, "c")
    for batch in range(20):
        assert writer.push(batch).status == 204
        writer.acknowledged.append(batch)
        writer.pushed += 1
    assert apus.stop() == 0
    apus.start()
    check([writer], "after a stop")
    assert apus.stop() == 0
