"""Log files are written, rotated, truncated and deleted while the one who follows them is killed, again and again: every line must be
there once.

`python tailing.py 50` kills so often, prints what it compared, and exits with 1 where a line is lost or came twice. The tests run a
few of them (`APUS_KILLS`)."""

import collections
import os
import pathlib
import random
import sys
import tempfile
import threading
import time
import urllib.parse

from stack import Apus, eventually, http, nanoseconds

CONFIG = """
logs:
  - {{files: ['{logs}/rename.log'], labels: {{job: tail, writer: rename}}}}
  - {{files: ['{logs}/numbered*.log'], labels: {{job: tail, writer: numbered}}}}
  - {{files: ['{logs}/truncate.log'], labels: {{job: tail, writer: truncate}}}}
  - {{files: ['{logs}/delete.log'], labels: {{job: tail, writer: delete}}}}
  - {{files: ['{logs}/container.log'], labels: {{job: tail, writer: container}}, format: cri}}
"""


class Writer(threading.Thread):
    """Writes numbered lines in bursts, and now and then does to its file what its kind is there for."""

    def __init__(self, apus, logs, seed):
        super().__init__(daemon=True)
        self.apus, self.logs, self.chance = apus, logs, random.Random(seed)
        self.ended, self.written, self.turns, self.problem = threading.Event(), 0, 0, None
        # The number of the first line of the file that is written to.
        self.first = 0

    @property
    def label(self):
        return type(self).__name__.lower()

    @property
    def path(self):
        return self.logs / f"{self.label}.log"

    def line(self, number):
        return f"{self.label} {number} " + "x" * (number * 7919 % 200)

    def encode(self, number):
        return (self.line(number) + "\n").encode()

    def run(self):
        try:
            file = open(self.path, "ab", buffering=0)
            while not self.ended.is_set():
                for _ in range(self.chance.randrange(1, 40)):
                    data = self.encode(self.written)
                    # A writer is cut short in the middle of a line, now and then.
                    middle = self.chance.randrange(len(data)) if self.chance.random() < 0.2 else 0
                    for piece in (data[:middle], data[middle:]):
                        if piece:
                            file.write(piece)
                            if middle:
                                time.sleep(0.001)
                    self.written += 1
                time.sleep(self.chance.uniform(0, 0.02))
                if self.chance.random() < 0.03 and (new := self.turn(file)):
                    file, self.first = new, self.written
                    self.turns += 1
            file.close()
        except Exception as error:  # noqa: BLE001 - told by the main thread
            self.problem = error

    def await_stored(self, number):
        """Until a line is stored; false where the writer is told to end first."""
        wanted = self.line(number)
        while not self.ended.is_set():
            try:
                found = self.apus.logs(f'{{job="tail", writer="{self.label}"}} |= "{self.label} {number} "', limit=10)
                if any(line == wanted for _, _, line in found):
                    return True
            except (OSError, AssertionError):
                pass
            time.sleep(0.02)
        return False

    def turn(self, file):
        """Does what its kind is there for; the file to go on with, or nothing where it cannot be done now."""

    def end(self):
        self.ended.set()
        self.join(60)
        assert not self.is_alive(), f"{self.label} does not end"
        if self.problem:
            raise self.problem


class Rename(Writer):
    """logrotate's `create`: the old file gets a name that nobody looks for, and is written to for a moment longer. (One that nobody has
    ever seen under its own name could not be found.)"""

    def turn(self, file):
        if self.written == self.first or not self.await_stored(self.first):
            return None
        os.rename(self.path, self.logs / f"rename.log.{self.turns}")
        new = open(self.path, "ab", buffering=0)
        for _ in range(self.chance.randrange(3)):
            file.write(self.encode(self.written))
            self.written += 1
        file.close()
        # As logrotate's `rotate`: the oldest go, once they have been read.
        old = self.logs / f"rename.log.{self.turns - 40}"
        if old.exists():
            old.unlink()
        return new


class Numbered(Writer):
    """A new name for each file; all of them match the glob."""

    @property
    def path(self):
        return self.logs / f"numbered-{self.turns}.log"

    def turn(self, file):
        file.close()
        return open(self.logs / f"numbered-{self.turns + 1}.log", "ab", buffering=0)


class Truncate(Writer):
    """logrotate's `copytruncate`."""

    def turn(self, file):
        # Only what was readable before a truncation counts.
        if not self.await_stored(self.written - 1):
            return None
        (self.logs / "truncate.copy").write_bytes(self.path.read_bytes())
        os.truncate(self.path, 0)
        return file


class Delete(Writer):
    """The file is deleted, and a new one may get its inode."""

    def turn(self, file):
        if not self.await_stored(self.written - 1):
            return None
        file.close()
        self.path.unlink()
        return open(self.path, "ab", buffering=0)


class Container(Writer):
    """A container runtime's records: long lines in pieces, two streams that interleave; rotated by renaming."""

    def encode(self, number):
        now = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime()) + f".{time.time_ns() % 1_000_000_000:09}Z"
        line, stream = self.line(number), "stderr" if number % 5 == 0 else "stdout"
        if number % 3:
            return f"{now} {stream} F {line}\n".encode()
        middle = len(line) // 2
        return f"{now} {stream} P {line[:middle]}\n{now} {stream} F {line[middle:]}\n".encode()

    def turn(self, file):
        if self.written == self.first or not self.await_stored(self.first):
            return None
        os.rename(self.path, self.logs / f"container.log.{self.turns}")
        file.close()
        return open(self.path, "ab", buffering=0)


def stored(apus, writer, start, end):
    """Every line of a writer."""
    query = urllib.parse.urlencode({"query": f'{{job="tail", writer="{writer.label}"}}', "format": "text", "start": start, "end": end})
    answer = http("GET", f"{apus.base}/api/apus/logs/export?{query}", timeout=600)
    assert answer.status == 200, answer.text
    return answer.text.splitlines()


def compare(apus, writers, start):
    """The number of lines compared by writer."""
    counts = {}
    for writer in writers:
        found = collections.Counter(stored(apus, writer, start, nanoseconds() + 60_000_000_000))
        wanted = {writer.line(number) for number in range(writer.written)}
        twice = [line[:40] for line, count in found.items() if count > 1]
        assert not twice, f"{writer.label}: {len(twice)} of {len(wanted)} lines came twice, first {twice[:3]}"
        lost = [line[:40] for line in wanted if line not in found]
        assert not lost, f"{writer.label}: {len(lost)} of {len(wanted)} lines are lost, such as {sorted(lost)[:3]}"
        strange = [line[:60] for line in found if line not in wanted]
        assert not strange, f"{writer.label}: lines that nobody wrote: {strange[:3]}"
        counts[writer.label] = (len(wanted), writer.turns)
    return counts


def tail_under_kills(folder, kills, seed=20261122):
    folder.mkdir(parents=True, exist_ok=True)
    logs = folder / "logs"
    logs.mkdir()
    start = nanoseconds() - 1_000_000_000
    apus = Apus(folder / "apus", config=CONFIG.format(logs=logs))
    apus.start()
    chance = random.Random(seed)
    writers = [kind(apus, logs, seed + index) for index, kind in enumerate([Rename, Numbered, Truncate, Delete, Container])]
    for writer in writers:
        writer.start()
    for number in range(kills):
        time.sleep(chance.uniform(0.05, 1.5))
        apus.kill()
        # Files go on while nobody looks.
        time.sleep(chance.uniform(0, 0.3))
        apus.start()
        if number % 10 == 9:
            print(f"{number + 1} kills, {sum(writer.written for writer in writers)} lines", flush=True)
    time.sleep(1)
    for writer in writers:
        writer.end()

    def all_there():
        return all(
            any(line == writer.line(writer.written - 1)
                for _, _, line in apus.logs(f'{{job="tail", writer="{writer.label}"}} |= "{writer.label} {writer.written - 1} "', limit=10))
            for writer in writers)

    eventually(all_there, timeout=60, what="the last lines are stored")
    time.sleep(1)
    compare(apus, writers, start)
    apus.kill()
    apus.start()
    counts = compare(apus, writers, start)
    assert apus.stop() == 0
    return counts


def main():
    kills = int(sys.argv[1]) if len(sys.argv) > 1 else 50
    seed = int(sys.argv[2]) if len(sys.argv) > 2 else int(time.time())
    print(f"{kills} kills, seed {seed}", flush=True)
    with tempfile.TemporaryDirectory(prefix="apus-tailing-") as folder:
        counts = tail_under_kills(pathlib.Path(folder), kills, seed)
    for label, (lines, turns) in counts.items():
        print(f"{label}: {lines} lines, {turns} rotations; 0 lost, 0 twice")


if __name__ == "__main__":
    main()
